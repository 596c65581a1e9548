//! Counts one act: start, warm up, the act N times, then 2 N times; the difference is N times and nothing else.
//!
//! In: a place, an act. Out: [`Counted`], each figure for one time.

use std::net::SocketAddr;

use super::act::{Act, ActError};
use super::front::{Front, FrontError};
use super::profile::Profile;
use crate::peers::{self, PeerError, Place};
use crate::scenario::{PeerName, Way};

/// Times before counting, so that pools are filled, tables have grown and code was run once.
const WARM_UP: u64 = 50;

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

/// For one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    pub act: Act,
    pub instructions: f64,
    pub allocations: f64,
    pub copies: f64,
    /// Functions by their own instructions, the largest first.
    pub functions: Vec<(String, f64)>,
}

/// Counts every act.
pub async fn all(place: &Place, tell: &dyn Fn(String)) -> Result<Vec<Counted>, CostError> {
    let agents = peers::start_agents(place, 1).await?;
    let mut counted = Vec::new();
    for act in Act::ALL {
        tell(format!("{}: {}, {} times and {}", act.name(), act.says(), act.times(), act.times() * 2));
        counted.push(count(place, act, &agents.addresses).await?);
    }
    Ok(counted)
}

/// Counts `act` in a process of its own.
async fn count(place: &Place, act: Act, agents: &[SocketAddr]) -> Result<Counted, CostError> {
    let folder = tempfile::tempdir()?;
    let mut front = Front::new(&place.outrigger, folder.path())?;
    let place = Place { outrigger: front.script.clone(), ..place.clone() };
    let running = peers::start(&place, PeerName::Outrigger, Way::OneHop, agents).await?;
    let pid = running.pids().first().copied().ok_or(CostError::Gone)?;
    let crew = act.caller(&running.target).await?;
    let crew = act.run(crew, WARM_UP).await?;
    can_see(&front.dump(pid).await?)?;
    let times = act.times();
    let crew = act.run(crew, times).await?;
    let once = front.dump(pid).await?;
    let crew = act.run(crew, times * 2).await?;
    let twice = front.dump(pid).await?;
    crew.dismiss().await;
    Ok(each(act, &twice.beyond(&once), times))
}

/// A proxy that has started has allocated and copied; if that is not seen, later figures would be too good.
fn can_see(profile: &Profile) -> Result<(), CostError> {
    match profile {
        Profile { allocations: 0, .. } => Err(CostError::Blind("allocation")),
        Profile { copies: 0, .. } => Err(CostError::Blind("copy")),
        _ => Ok(()),
    }
}

fn each(act: Act, profile: &Profile, times: u64) -> Counted {
    let each = |sum: u64| sum as f64 / times.max(1) as f64;
    let mut functions: Vec<(String, f64)> =
        profile.functions.iter().map(|(name, cost)| (name.clone(), each(*cost))).collect();
    functions.sort_by(|one, other| other.1.total_cmp(&one.1));
    Counted {
        act,
        instructions: each(profile.instructions),
        allocations: each(profile.allocations),
        copies: each(profile.copies),
        functions,
    }
}
