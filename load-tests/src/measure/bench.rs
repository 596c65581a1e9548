//! Runs scenarios: starts the peers of each, and takes rounds in turn.
//!
//! In: scenarios, a place, a seed. Out: a [`Bench`]; what is going on is told line by line.
//! Invariant: a peer that cannot run is left out with its reason, and the others are measured.

use std::collections::BTreeMap;
use std::error::Error;

use super::memory::{self, Counts, Whose};
use super::result::{Bench, Measured, Memory, OfPeer};
use super::sample::{Subject, sample, warm_up};
use crate::machine::about::About;
use crate::peers::child::Child;
use crate::peers::start::Agents;
use crate::peers::{self, PeerError, Place, Running};
use crate::scenario::{Load, PeerName, Scenario};
use crate::tally::Tally;

pub async fn bench(
    place: &Place,
    scenarios: &[Scenario],
    seed: u64,
    tell: &dyn Fn(String),
) -> Result<Bench, PeerError> {
    let mut about = About::now(seed, peers::versions(place));
    let mut order = fastrand::Rng::with_seed(seed);
    let mut measured = Vec::new();
    for scenario in scenarios {
        tell(format!("{}: {}", scenario.name, scenario.says));
        measured.push(run(place, scenario, &mut order, tell).await?);
    }
    about.finish();
    Ok(Bench { about, scenarios: measured })
}

async fn run(
    place: &Place,
    scenario: &Scenario,
    order: &mut fastrand::Rng,
    tell: &dyn Fn(String),
) -> Result<Measured, PeerError> {
    let agents = peers::start_agents(place, scenario.replicas).await?;
    let mut of_peers: BTreeMap<PeerName, OfPeer> =
        scenario.peers.iter().map(|peer| (*peer, OfPeer::new(*peer))).collect();
    match scenario.load {
        Load::Idle { streams, sessions, calls } => {
            let counts = Counts { connections: scenario.connections, streams, sessions, calls };
            for of_peer in of_peers.values_mut() {
                let whose = Whose { place, peer: of_peer.peer, way: scenario.way, agents: &agents.addresses };
                match memory::measure(whose, counts).await {
                    Ok((memory, tally)) => {
                        tell(said(of_peer.peer, &memory, &tally));
                        of_peer.memory = Some(memory);
                        of_peer.tally.add(&tally);
                    }
                    Err(error) => of_peer.give_up(&error, tell),
                }
            }
        }
        _ => rounds(place, scenario, &agents, &mut of_peers, order, tell).await,
    }
    let unit = match scenario.load {
        Load::Streams { .. } | Load::Feeds { .. } => "event",
        Load::Sessions { .. } => "request",
        _ => "call",
    };
    Ok(Measured {
        name: scenario.name.clone(),
        says: scenario.says.clone(),
        way: scenario.way,
        unit: unit.to_owned(),
        peers: of_peers.into_values().collect(),
    })
}

fn said(peer: PeerName, memory: &Memory, tally: &Tally) -> String {
    format!(
        "  {:<9} idle {} KiB, {:.1} KiB per connection ({} sockets of {}), {:.1} per stream, {:.0} bytes per session, {} to {} KiB under load, then {}, faults {}",
        peer.text(),
        memory.idle,
        memory.per_connection(),
        memory.sockets,
        memory.connections,
        memory.per_stream(),
        memory.bytes_per_session(),
        memory.before_load,
        memory.load_peak,
        memory.after_load,
        tally.faults(),
    )
}

async fn rounds(
    place: &Place,
    scenario: &Scenario,
    agents: &Agents,
    of_peers: &mut BTreeMap<PeerName, OfPeer>,
    order: &mut fastrand::Rng,
    tell: &dyn Fn(String),
) {
    let mut running = Vec::new();
    for of_peer in of_peers.values_mut() {
        match up(place, scenario, of_peer.peer, agents).await {
            Ok(peer) => running.push(peer),
            Err(error) => of_peer.give_up(error.as_ref(), tell),
        }
    }
    let agent_pids: Vec<u32> = agents.children.iter().map(Child::pid).collect();
    for round in 1..=scenario.rounds {
        order.shuffle(&mut running);
        for peer in &running {
            let Some(of_peer) = of_peers.get_mut(&peer.name).filter(|of_peer| of_peer.missing.is_none()) else {
                continue;
            };
            let (pids, beside) = (peer.pids(), peer.beside());
            let subject = Subject {
                target: &peer.target,
                proxies: &pids,
                agents: &agents.addresses,
                agent_pids: &agent_pids,
                beside: &beside,
                changes: peer.watched.filter(|_| peer.name.is_changing()),
            };
            match sample(&subject, scenario).await {
                Ok((figures, tally)) => {
                    tell(format!(
                        "  round {round} {:<9} {:>6.0}/s, CPU {:>5.1} us, p50 {:>6.0} us, p99 {:>7.0} us, faults {}, changes {}",
                        peer.name.text(),
                        figures.per_second,
                        figures.cpu_us,
                        figures.latency.p50,
                        figures.latency.p99,
                        tally.faults(),
                        figures.changes,
                    ));
                    of_peer.rounds.push(figures);
                    of_peer.tally.add(&tally);
                }
                Err(error) => of_peer.give_up(&error, tell),
            }
        }
    }
}

async fn up(place: &Place, scenario: &Scenario, peer: PeerName, agents: &Agents) -> Result<Running, Box<dyn Error>> {
    let running = peers::start(place, peer, scenario.way, &agents.addresses).await?;
    warm_up(&running.target, &scenario.dress, scenario.connections).await?;
    Ok(running)
}

impl OfPeer {
    fn new(peer: PeerName) -> Self {
        Self { peer, missing: None, rounds: Vec::new(), memory: None, tally: Tally::default() }
    }

    fn give_up(&mut self, error: &dyn Error, tell: &dyn Fn(String)) {
        let mut said = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            said = format!("{said}: {inner}");
            cause = inner.source();
        }
        tell(format!("  {} is left out: {said}", self.peer.text()));
        self.missing = Some(said);
    }
}
