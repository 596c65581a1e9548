//! Memory of a peer: fresh, with idle connections, and, fresh again, with idle streams.
//!
//! In: how to start it. Out: [`Memory`].
//! Invariant: each state is looked at after the same pause, in a process that has served nothing else.

use std::net::SocketAddr;
use std::time::Duration;

use super::result::Memory;
use super::sample::{SampleError, warm_up};
use crate::echo::Era;
use crate::generate::crew::CrewError;
use crate::generate::{Dress, idle};
use crate::machine::process::{GoneError, resident_kib};
use crate::peers::{self, PeerError, Place, Running};
use crate::scenario::{PeerName, Way};

/// Allocators give back, timers fire, buffers shrink: what is measured is a peer at rest.
const REST: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error(transparent)]
    Sample(#[from] SampleError),
    #[error(transparent)]
    Crew(#[from] CrewError),
    #[error(transparent)]
    Gone(#[from] GoneError),
}

pub async fn measure(
    place: &Place,
    peer: PeerName,
    way: Way,
    agents: &[SocketAddr],
    (connections, streams): (usize, usize),
) -> Result<Memory, MemoryError> {
    let dress = Dress::plain(Era::Legacy);
    let running = rested(place, peer, way, agents).await?;
    let idle = resident(&running)?;
    let open = idle::connections(&running.target, &dress, connections).await?;
    tokio::time::sleep(REST).await;
    let with_connections = resident(&running)?;
    drop((open, running));

    let running = rested(place, peer, way, agents).await?;
    let idle_again = resident(&running)?;
    let open = idle::streams(&running.target, &dress, streams).await?;
    tokio::time::sleep(REST).await;
    let with_streams = resident(&running)?;
    drop(open);
    Ok(Memory { idle, connections, with_connections, idle_again, streams, with_streams })
}

async fn rested(place: &Place, peer: PeerName, way: Way, agents: &[SocketAddr]) -> Result<Running, MemoryError> {
    let running = peers::start(place, peer, way, agents).await?;
    warm_up(&running.target, &Dress::plain(Era::Legacy), 1).await?;
    tokio::time::sleep(REST).await;
    Ok(running)
}

fn resident(running: &Running) -> Result<u64, GoneError> {
    running.pids().into_iter().map(resident_kib).sum()
}
