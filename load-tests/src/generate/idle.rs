//! Connections, streams and sessions that are open and say nothing, for measuring what each of them holds in memory.
//!
//! In: a target, how many. Out: something that keeps them open until it is dropped.

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::book::Book;
use super::connection::{ANSWER_MAX, CallError, Connection};
use super::crew::{Crew, CrewError, open};
use super::dress::{Dress, Target, Wardrobe};
use super::saturate;
use crate::echo::{Ask, Era, Form};

/// Connections over which sessions are opened.
pub const OPENERS: usize = 8;
/// `initialize`, and the notification after it.
pub const REQUESTS_OF_A_SESSION: u64 = 2;

/// Longer than it takes to begin a thousand calls with a TLS connection each, shorter than callers wait for an event.
const AT_ONCE_MS: u32 = 5_000;

/// Connections, each of which has made one call. The book has a number for each.
pub async fn connections(target: &Target, dress: &Dress, count: usize, book: &Book) -> Result<Crew, CrewError> {
    let mut crew = Crew { wardrobe: std::sync::Arc::new(Wardrobe::new(target, dress)), callers: Vec::new() };
    // One after the other, so that the peer needs no more connections behind it than its pool keeps.
    for _ in 0..count {
        let mut hired = Crew::hire(target, dress, 1).await?;
        for caller in &mut hired.callers {
            if let Some(number) = book.write(|ledger, _| ledger.next_number()) {
                caller.call(&hired.wardrobe, book, number).await;
            }
        }
        crew.callers.extend(hired.callers);
    }
    Ok(crew)
}

/// The same with all calls under way at one time, so that each has a connection of its own on every hop.
pub async fn connections_at_once(target: &Target, count: usize, book: &Book) -> Result<Crew, CrewError> {
    let slow = Ask::of(Form::Events { count: 2, every_ms: AT_ONCE_MS });
    let crew = Crew::hire(target, &Dress::plain(Era::Legacy).asking(slow), count).await?;
    Ok(saturate::run(crew, book).await?.0)
}

/// GET streams, each of which has begun.
pub struct Streams {
    _open: Vec<(Connection, Incoming)>,
}

pub async fn streams(target: &Target, dress: &Dress, count: usize) -> Result<Streams, CrewError> {
    let wardrobe = Wardrobe::new(target, dress);
    let mut open = Vec::with_capacity(count);
    for _ in 0..count {
        let mut connection = Connection::open(target.address).await?;
        let response = connection.send(wardrobe.quiet()).await?;
        if !response.status().is_success() {
            return Err(CrewError::Status(response.status().as_u16()));
        }
        let mut body = response.into_body();
        let first = timeout(ANSWER_MAX, body.frame()).await.map_err(|_| CallError::Slow)?;
        first.transpose().map_err(CallError::from)?;
        open.push((connection, body));
    }
    Ok(Streams { _open: open })
}

/// Opens `count` sessions over the connections of the crew, and closes none.
pub async fn sessions(crew: Crew, count: u64) -> Result<Crew, CrewError> {
    let mut crew = crew;
    let openers = crew.callers.len().max(1) as u64;
    for (at, caller) in crew.callers.iter_mut().enumerate() {
        let share = count / openers + u64::from((at as u64) < count % openers);
        for number in 0..share {
            open(&crew.wardrobe, &mut caller.connection, number).await?;
        }
    }
    Ok(crew)
}
