//! Memory of a peer: fresh, with idle connections, with idle streams, per session, and under load.
//!
//! In: how to start it, how many of each. Out: [`Memory`], and what became of the calls that were made for it.
//! Invariant: each part begins with a fresh process, and each state is looked at after the same pause.

use std::net::SocketAddr;
use std::time::Duration;

use super::result::Memory;
use super::sample::{SampleError, begin, executed, warm_up};
use crate::echo::Era;
use crate::generate::crew::CrewError;
use crate::generate::{Book, Crew, Dress, idle, saturate};
use crate::machine::process::{GoneError, resident_kib, resident_peak_kib, sockets};
use crate::peers::{self, PeerError, Place, Running};
use crate::scenario::{PeerName, Way};
use crate::tally::{Executed, Tally};

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

/// How many of what; what is 0 is not measured, but connections are.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    pub connections: usize,
    pub streams: usize,
    pub sessions: u64,
    pub calls: u64,
}

/// Whose memory, and behind which agents.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    pub place: &'a Place,
    pub peer: PeerName,
    pub way: Way,
    pub agents: &'a [SocketAddr],
}

pub async fn measure(whose: Whose<'_>, counts: Counts) -> Result<(Memory, Tally), MemoryError> {
    let (mut memory, mut tally) = (Memory::default(), Tally::default());
    tally.add(&connections(whose, counts, &mut memory).await?);
    if counts.streams > 0 {
        streams(whose, counts, &mut memory).await?;
    }
    if counts.sessions > 0 {
        tally.add(&sessions(whose, counts, &mut memory).await?);
    }
    if counts.calls > 0 {
        tally.add(&load(whose, counts, &mut memory).await?);
    }
    Ok((memory, tally))
}

async fn connections(whose: Whose<'_>, counts: Counts, memory: &mut Memory) -> Result<Tally, MemoryError> {
    let running = rested(whose).await?;
    memory.idle = resident(&running)?;
    let sockets_before = running.pids().into_iter().map(sockets).sum::<Result<u64, _>>()?;
    let book = whose.begin(counts.connections as u64).await?;
    let open = match whose.way {
        Way::OneHop => {
            idle::connections(&running.target, &Dress::plain(Era::Legacy), counts.connections, &book).await?
        }
        Way::TwoHopsMtls => idle::connections_at_once(&running.target, counts.connections, &book).await?,
    };
    tokio::time::sleep(REST).await;
    memory.connections = counts.connections;
    memory.with_connections = resident(&running)?;
    let sockets_after = running.pids().into_iter().map(sockets).sum::<Result<u64, _>>()?;
    memory.sockets = sockets_after.saturating_sub(sockets_before);
    drop(open);
    whose.close(book).await
}

async fn streams(whose: Whose<'_>, counts: Counts, memory: &mut Memory) -> Result<(), MemoryError> {
    let running = rested(whose).await?;
    memory.idle_again = resident(&running)?;
    let open = idle::streams(&running.target, &Dress::plain(Era::Legacy), counts.streams).await?;
    tokio::time::sleep(REST).await;
    memory.streams = counts.streams;
    memory.with_streams = resident(&running)?;
    drop(open);
    Ok(())
}

/// The difference to the same process after as many requests without sessions: requests alone make a process grow.
async fn sessions(whose: Whose<'_>, counts: Counts, memory: &mut Memory) -> Result<Tally, MemoryError> {
    let running = rested(whose).await?;
    let calls = counts.sessions.saturating_mul(idle::REQUESTS_OF_A_SESSION);
    let book = whose.begin(calls).await?;
    let crew = Crew::hire(&running.target, &Dress::plain(Era::Legacy), idle::OPENERS).await?;
    let (crew, _) = saturate::run(crew, &book).await?;
    let tally = whose.close(book).await?;
    tokio::time::sleep(REST).await;
    memory.without_sessions = resident(&running)?;
    let open = idle::sessions(crew, counts.sessions).await?;
    tokio::time::sleep(REST).await;
    memory.sessions = counts.sessions;
    memory.with_sessions = resident(&running)?;
    drop(open);
    Ok(tally)
}

async fn load(whose: Whose<'_>, counts: Counts, memory: &mut Memory) -> Result<Tally, MemoryError> {
    let running = rested(whose).await?;
    memory.before_load = resident(&running)?;
    let book = whose.begin(counts.calls).await?;
    let dress = Dress { session: true, ..Dress::plain(Era::Legacy) };
    let crew = Crew::hire(&running.target, &dress, counts.connections).await?;
    let (crew, _) = saturate::run(crew, &book).await?;
    memory.load_peak = running.pids().into_iter().map(resident_peak_kib).sum::<Result<u64, _>>()?;
    crew.dismiss().await;
    tokio::time::sleep(REST).await;
    memory.load_calls = counts.calls;
    memory.after_load = resident(&running)?;
    whose.close(book).await
}

impl Whose<'_> {
    async fn begin(&self, calls: u64) -> Result<Book, MemoryError> {
        for agent in self.agents {
            begin(*agent, calls).await.map_err(SampleError::from)?;
        }
        Ok(Book::new(calls))
    }

    async fn close(&self, book: Book) -> Result<Tally, MemoryError> {
        let mut sum = Executed::default();
        for agent in self.agents {
            let executed = executed(*agent).await.map_err(SampleError::from)?;
            sum.once += executed.once;
            sum.again += executed.again;
        }
        Ok(book.close(sum, Duration::ZERO).tally)
    }
}

async fn rested(whose: Whose<'_>) -> Result<Running, MemoryError> {
    let running = peers::start(whose.place, whose.peer, whose.way, whose.agents).await?;
    warm_up(&running.target, &Dress::plain(Era::Legacy), 1).await?;
    tokio::time::sleep(REST).await;
    Ok(running)
}

fn resident(running: &Running) -> Result<u64, GoneError> {
    running.pids().into_iter().map(resident_kib).sum()
}
