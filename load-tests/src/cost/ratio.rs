//! CPU per call as a multiple of nginx's, from one short interleaved bench: what the kernel does for a call is in it.
//!
//! In: a place. Out: the ratio of the medians.
//! Invariant: both are measured in the same minutes on the same core; no figure of another day or machine is used.

use std::path::Path;

use crate::measure::bench::bench;
use crate::measure::result::{Bench, OfPeer};
use crate::peers::{PeerError, Place};
use crate::scenario::{PeerName, Scenario, ScenarioError};

/// Of the order of peers; any will do.
const SEED: u64 = 1;

#[derive(Debug, thiserror::Error)]
pub enum RatioError {
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error("{0} was not measured: {1}")]
    Missing(&'static str, String),
    #[error("{0} did not answer {1} calls rightly")]
    Faults(&'static str, u64),
}

pub async fn ratio(place: &Place, scenario: &Path, tell: &dyn Fn(String)) -> Result<f64, RatioError> {
    let scenario = Scenario::read(scenario)?;
    of(&bench(place, &[scenario], SEED, tell).await?)
}

fn of(bench: &Bench) -> Result<f64, RatioError> {
    let own = cpu(bench, PeerName::Outrigger)?;
    let nginx = cpu(bench, PeerName::Nginx)?;
    Ok(own / nginx)
}

fn cpu(bench: &Bench, peer: PeerName) -> Result<f64, RatioError> {
    let name = peer.text();
    let missing = |why: &str| RatioError::Missing(name, why.to_owned());
    let mut of_peers = bench.scenarios.iter().flat_map(|measured| &measured.peers);
    let of_peer: &OfPeer =
        of_peers.find(|of_peer| of_peer.peer == peer).ok_or_else(|| missing("it is not in the scenario"))?;
    if let Some(why) = &of_peer.missing {
        return Err(missing(why));
    }
    if !of_peer.tally.is_clean() {
        return Err(RatioError::Faults(name, of_peer.tally.faults()));
    }
    let cpu = of_peer.median(|round| round.cpu_us).filter(|cpu| *cpu > 0.0);
    cpu.ok_or_else(|| missing("it used no CPU that the system could see"))
}

#[cfg(test)]
mod tests;
