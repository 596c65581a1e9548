//! Streams that callers hold open and are told events on: GET streams of sessions, or listen streams.
//!
//! In: a crew, how many streams each. Out: [`Feeds`] that are open, and then what came on them.
//! Invariant: all streams are open before the first event is made; a stream that brought all must end by itself.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::book::Book;
use super::connection::{ANSWER_MAX, CallError, Connection};
use super::crew::{Crew, CrewError};
use super::sse::next_event;
use crate::echo::Era;
use crate::echo::event::{is_acknowledged, read_told, unix_nanos};
use crate::tally::feed::Feed;

/// Longest event that is read.
const EVENT_BYTES_MAX: usize = 64 * 1024;

/// One stream; without a body it was refused or lost at its opening.
struct Open {
    connection: Connection,
    body: Option<Incoming>,
    /// What came with the opening and was not an event yet.
    lines: BytesMut,
    feed: Feed,
}

/// Streams that are open, and the crew whose sessions they belong to.
pub struct Feeds {
    pub crew: Crew,
    open: Vec<Open>,
}

impl Feeds {
    /// Opens `each` streams for every caller, each on a connection of its own.
    pub async fn open(crew: Crew, each: usize, events: u64) -> Result<Self, CrewError> {
        let mut open = Vec::with_capacity(crew.callers.len() * each);
        for caller in &crew.callers {
            for _ in 0..each {
                let number = open.len() as u64;
                let mut connection = Connection::open(crew.wardrobe.target.address).await?;
                let request = crew.wardrobe.stream(number, caller.session.as_ref());
                let home = caller.session.as_ref().map(|session| session.home.clone());
                // A listen stream ends with a result, which must come as the events must.
                let modern = crew.wardrobe.dress.era == Era::Modern;
                let expected = usize::try_from(events).unwrap_or_default() + usize::from(modern);
                let mut feed = Feed::new(number, expected, home);
                let mut lines = BytesMut::new();
                let begun = begin(&mut connection, request, &mut lines, modern.then_some(number)).await;
                if matches!(begun, Ok(None)) {
                    feed.refuse();
                }
                open.push(Open { connection, body: begun.ok().flatten(), lines, feed });
            }
        }
        Ok(Self { crew, open })
    }

    /// Reads all streams to their ends. The events are made while this runs.
    pub async fn read(self, book: &Book) -> Result<(Crew, Duration), CrewError> {
        let began = Instant::now();
        let mut under_way = JoinSet::new();
        for Open { connection, body, mut lines, mut feed } in self.open {
            let book = book.clone();
            under_way.spawn(async move {
                if let Some(body) = body {
                    // How it ended shows in what is missing.
                    let _ = to_the_end(body, &mut lines, &mut feed, &book).await;
                }
                // Not before: the body is read through it.
                drop(connection);
                book.write(|ledger, _| ledger.settle_feed(&feed));
            });
        }
        while let Some(done) = under_way.join_next().await {
            done?;
        }
        book.write(|_, figures| {
            figures.latency = figures.lag.clone();
            figures.units = figures.events;
        });
        Ok((self.crew, began.elapsed()))
    }
}

/// Waits until the stream is open: its first bytes, and for a listen stream its acknowledgement. `None` if refused.
async fn begin(
    connection: &mut Connection,
    request: http::Request<http_body_util::Full<bytes::Bytes>>,
    lines: &mut BytesMut,
    acknowledged: Option<u64>,
) -> Result<Option<Incoming>, CallError> {
    let response = connection.send(request).await?;
    if !response.status().is_success() {
        return Ok(None);
    }
    let mut body = response.into_body();
    loop {
        let frame = timeout(ANSWER_MAX, body.frame()).await.map_err(|_| CallError::Slow)?;
        let Some(frame) = frame else { return Ok(None) };
        let Ok(data) = frame?.into_data() else { continue };
        lines.extend_from_slice(&data);
        let Some(number) = acknowledged else { return Ok(Some(body)) };
        if let Some(event) = next_event(lines) {
            return Ok(is_acknowledged(&event, number).then_some(body));
        }
    }
}

async fn to_the_end(mut body: Incoming, lines: &mut BytesMut, feed: &mut Feed, book: &Book) -> Result<(), CallError> {
    loop {
        let came = unix_nanos();
        while let Some(event) = next_event(lines) {
            let told = read_told(&event);
            if let Some(told) = &told {
                book.write(|_, figures| {
                    figures.lag.record(Duration::from_nanos(came.saturating_sub(told.made)));
                    figures.events += 1;
                });
            }
            feed.take(told.as_ref());
        }
        if lines.len() > EVENT_BYTES_MAX {
            return Ok(());
        }
        let frame = timeout(ANSWER_MAX, body.frame()).await.map_err(|_| CallError::Slow)?;
        let Some(frame) = frame else { return Ok(()) };
        if let Ok(data) = frame?.into_data() {
            lines.extend_from_slice(&data);
        }
    }
}
