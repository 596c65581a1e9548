//! Counts one act: start, warm up, rest, the act N times, then 2 N times.
//!
//! In: a place, an act. Out: [`Counted`], each figure for one time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::act::{Act, ActError};
use super::front::{Front, FrontError};
use super::profile::Profile;
use super::stretch::{Each, Stretch, each};
use crate::generate::Target;
use crate::peers::{self, PeerError, Place};
use crate::scenario::{PeerName, Way};

/// How long the proxy is watched at rest: two intervals of its reports to control, the dearest that it does by the clock.
const REST: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum CostError {
    #[error(transparent)]
    Front(#[from] FrontError),
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error(transparent)]
    Act(#[from] ActError),
    #[error("no folder for profiles")]
    Folder(#[from] std::io::Error),
    #[error("the proxy is gone before it was counted")]
    Gone,
    #[error("no {0} is seen in the profile; is the binary stripped, or are libc's symbols missing (cost-setup.sh)?")]
    Blind(&'static str),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    pub act: Act,
    pub each: Each,
}

/// Counts every act.
pub async fn all(place: &Place, tell: &dyn Fn(String)) -> Result<Vec<Counted>, CostError> {
    let agents = peers::start_agents(place, 1).await?;
    let mut counted = Vec::new();
    for act in Act::ALL {
        tell(format!("{}: {}, {} times and {}", act.name(), act.says(), act.times(), act.times() * 2));
        counted.push(count(place, act, &agents.addresses, tell).await?);
    }
    Ok(counted)
}

/// Counts `act` in a process of its own.
async fn count(place: &Place, act: Act, agents: &[SocketAddr], tell: &dyn Fn(String)) -> Result<Counted, CostError> {
    let folder = tempfile::tempdir()?;
    let mut front = Front::new(&place.outrigger, folder.path())?;
    let place = Place { outrigger: front.script.clone(), ..place.clone() };
    let running = peers::start(&place, PeerName::Outrigger, Way::OneHop, agents).await?;
    let pid = running.pids().first().copied().ok_or(CostError::Gone)?;
    let stretches = stretches(&mut front, pid, act, &running.target).await;
    if let (Err(CostError::Act(_)), Some(proxy)) = (&stretches, running.proxies.first()) {
        tell(format!("the log of the proxy ends with:\n{}", proxy.last_words()));
    }
    let [rest, once, twice] = stretches?;
    Ok(Counted { act, each: each(&rest, &once, &twice, act.times()) })
}

/// At rest, N times and 2 N times.
async fn stretches(front: &mut Front, pid: u32, act: Act, target: &Target) -> Result<[Stretch; 3], CostError> {
    let times = act.times();
    let crew = act.run(act.caller(target).await?, act.times_before()).await?;
    can_see(&front.dump(pid).await?)?;
    let began = Instant::now();
    tokio::time::sleep(REST).await;
    let rest = stretch(front, pid, began).await?;
    let began = Instant::now();
    let crew = act.run(crew, times).await?;
    let once = stretch(front, pid, began).await?;
    let began = Instant::now();
    let crew = act.run(crew, times * 2).await?;
    let twice = stretch(front, pid, began).await?;
    crew.dismiss().await;
    Ok([rest, once, twice])
}

/// What was done since `began`, which is when the last profile was written.
async fn stretch(front: &mut Front, pid: u32, began: Instant) -> Result<Stretch, CostError> {
    let seconds = began.elapsed().as_secs_f64();
    Ok(Stretch { profile: front.dump(pid).await?, seconds })
}

/// A proxy that has started has allocated and copied; if that is not seen, later figures would be too good.
fn can_see(profile: &Profile) -> Result<(), CostError> {
    match profile {
        Profile { allocations: 0, .. } => Err(CostError::Blind("allocation")),
        Profile { copies: 0, .. } => Err(CostError::Blind("copy")),
        _ => Ok(()),
    }
}
