//! Connections and streams that are open and say nothing, for measuring what each of them holds in memory.
//!
//! In: a target, how many. Out: something that keeps them open until it is dropped.

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::book::Book;
use super::connection::{ANSWER_MAX, CallError, Connection};
use super::crew::{Crew, CrewError};
use super::dress::{Dress, Target, Wardrobe};
use super::saturate;

/// Connections, each of which has made one call.
pub async fn connections(target: &Target, dress: &Dress, count: usize) -> Result<Crew, CrewError> {
    let mut crew = Crew { wardrobe: std::sync::Arc::new(Wardrobe::new(target, dress)), callers: Vec::new() };
    // One after the other, so that the peer needs no more connections behind it than its pool keeps.
    for _ in 0..count {
        let hired = Crew::hire(target, dress, 1).await?;
        let (hired, _) = saturate::run(hired, &Book::new(1)).await?;
        crew.callers.extend(hired.callers);
    }
    Ok(crew)
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
