//! One call from request to settled: the answer as JSON or as a stream of events, whichever the agent chose.
//!
//! Invariant: a call is settled once, with the last message of its answer; a second answer in a stream is a duplicate.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::book::Book;
use super::connection::{ANSWER_MAX, CallError, Connection};
use super::sse::next_event;
use crate::echo::Ask;
use crate::echo::answer::read_answer;
use crate::echo::event::{read_progress, unix_nanos};
use crate::tally::Back;

/// Longest event that is read: the largest text, and what stands around it.
const EVENT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What is called, and who must answer.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub number: u64,
    pub ask: &'a Ask,
    pub home: Option<&'a str>,
}

/// Sends the request and settles the call.
pub async fn exchange(connection: &mut Connection, request: Request<Full<Bytes>>, call: Call<'_>, book: &Book) {
    let outcome = read(connection, request, call, book).await;
    book.write(|ledger, _| {
        let back = match &outcome {
            Ok(Ended::Answered(bytes)) => Back::Answer(bytes),
            Ok(Ended::Refused(status)) => Back::Refused(*status),
            Ok(Ended::Silent) | Err(_) => Back::Lost,
        };
        ledger.settle(call.number, call.ask, call.home, back);
    });
}

enum Ended {
    Answered(Bytes),
    Refused(u16),
    /// The stream ended without an answer.
    Silent,
}

async fn read(
    connection: &mut Connection,
    request: Request<Full<Bytes>>,
    call: Call<'_>,
    book: &Book,
) -> Result<Ended, CallError> {
    let response = connection.send(request).await?;
    let status = response.status();
    if is_stream(&response) && status.is_success() {
        return events(response.into_body(), call, book).await;
    }
    let body = timeout(ANSWER_MAX, response.into_body().collect()).await.map_err(|_| CallError::Slow)??;
    Ok(if status.is_success() { Ended::Answered(body.to_bytes()) } else { Ended::Refused(status.as_u16()) })
}

fn is_stream(response: &Response<Incoming>) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

async fn events(mut body: Incoming, call: Call<'_>, book: &Book) -> Result<Ended, CallError> {
    let mut lines = BytesMut::new();
    let mut answer = None;
    while let Some(frame) = timeout(ANSWER_MAX, body.frame()).await.map_err(|_| CallError::Slow)? {
        let Ok(data) = frame?.into_data() else { continue };
        let came = unix_nanos();
        lines.extend_from_slice(&data);
        while let Some(event) = next_event(&mut lines) {
            take_in(event, came, call, book, &mut answer);
        }
        if lines.len() > EVENT_BYTES_MAX {
            break;
        }
    }
    Ok(answer.map_or(Ended::Silent, Ended::Answered))
}

fn take_in(data: Bytes, came: u64, call: Call<'_>, book: &Book, answer: &mut Option<Bytes>) {
    book.write(|ledger, figures| {
        if let Some(made) = read_progress(&data) {
            figures.lag.record(Duration::from_nanos(came.saturating_sub(made)));
            figures.events += 1;
        } else if answer.is_none() {
            *answer = Some(data);
        } else if read_answer(&data, call.ask).is_some() {
            ledger.surplus();
        }
    });
}
