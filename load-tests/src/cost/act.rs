//! What is counted: one thing that a caller does, again and again over one connection, each time after the last is answered.
//!
//! In: a target. Out: the act done so many times.
//! Invariant: every answer is the right one, or there is no figure.

use std::time::Duration;

use http_body_util::BodyExt as _;

use crate::echo::{Ask, Era, Form};
use crate::generate::connection::CallError;
use crate::generate::crew::{CrewError, open};
use crate::generate::{Book, Crew, Dress, Target, saturate, streams};
use crate::tally::{Executed, Tally};

#[derive(Debug, thiserror::Error)]
pub enum ActError {
    #[error(transparent)]
    Crew(#[from] CrewError),
    #[error("connection broke")]
    Call(#[from] CallError),
    #[error("not every call was answered rightly: {0:?}")]
    Unclean(Tally),
    #[error("the end of a session is answered with HTTP {0}")]
    NotEnded(u16),
    #[error("a run was given up after {0:?}")]
    Endless(Duration),
}

/// Longest run; valgrind makes a call about fifty times slower.
const RUN_MAX: Duration = Duration::from_secs(180);

/// Events of an answer, and the pause between two: long enough under valgrind for each to be forwarded by itself, as two that come
/// together are read and written as one and cost less; and short, so that little happens by the clock meanwhile.
const EVENTS: u32 = 10;
const EVENTS_EVERY_MS: u32 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    SessionCall,
    ModernCall,
    Session,
    Events,
}

impl Act {
    pub const ALL: [Self; 4] = [Self::SessionCall, Self::ModernCall, Self::Session, Self::Events];

    pub const fn name(self) -> &'static str {
        match self {
            Self::SessionCall => "session-call",
            Self::ModernCall => "modern-call",
            Self::Session => "session",
            Self::Events => "events",
        }
    }

    pub const fn says(self) -> &'static str {
        match self {
            Self::SessionCall => "a legacy `tools/call` within a session",
            Self::ModernCall => "a modern `tools/call`",
            Self::Session => "a session opened and ended: `initialize`, its notification, DELETE",
            Self::Events => "a legacy `tools/call` answered by ten events and the result",
        }
    }

    /// How often in the shorter run; the longer one has twice as many.
    pub const fn times(self) -> u64 {
        match self {
            Self::SessionCall | Self::ModernCall => 500,
            Self::Session => 250,
            Self::Events => 100,
        }
    }

    /// How often before anything is counted, so that pools are filled, tables have grown and code was run once.
    pub const fn times_before(self) -> u64 {
        self.times() / 4
    }

    fn dress(self) -> Dress {
        match self {
            Self::SessionCall => Dress { session: true, ..Dress::plain(Era::Legacy) },
            Self::ModernCall => Dress::plain(Era::Modern),
            Self::Session => Dress::plain(Era::Legacy),
            Self::Events => {
                let form = Form::Events { count: EVENTS, every_ms: EVENTS_EVERY_MS };
                Dress::plain(Era::Legacy).asking(Ask::of(form))
            }
        }
    }

    /// Someone who does it: one caller with one connection.
    pub async fn caller(self, target: &Target) -> Result<Crew, ActError> {
        Ok(Crew::hire(target, &self.dress(), 1).await?)
    }

    /// Does it so many times, and gives the caller back.
    pub async fn run(self, crew: Crew, times: u64) -> Result<Crew, ActError> {
        tokio::time::timeout(RUN_MAX, self.run_all(crew, times)).await.map_err(|_| ActError::Endless(RUN_MAX))?
    }

    async fn run_all(self, crew: Crew, times: u64) -> Result<Crew, ActError> {
        if self == Self::Session {
            return sessions(crew, times).await;
        }
        let book = Book::new(times);
        let (crew, elapsed) = match self {
            Self::Events => streams::run(crew, &book).await?,
            _ => saturate::run(crew, &book).await?,
        };
        let tally = book.close(Executed::default(), elapsed).tally;
        if tally.calls == times && tally.is_clean() { Ok(crew) } else { Err(ActError::Unclean(tally)) }
    }
}

async fn sessions(mut crew: Crew, times: u64) -> Result<Crew, ActError> {
    for caller in &mut crew.callers {
        for number in 0..times {
            let (session, _) = open(&crew.wardrobe, &mut caller.connection, number).await?;
            let response = caller.connection.send(crew.wardrobe.end(&session)).await?;
            if !response.status().is_success() {
                return Err(ActError::NotEnded(response.status().as_u16()));
            }
            response.into_body().collect().await.map_err(CallError::from)?;
        }
    }
    Ok(crew)
}

#[cfg(test)]
mod tests;
