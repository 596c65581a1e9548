//! Answers that come as streams of events: one stream per caller, and the time each event was under way.
//!
//! Invariant: a call is settled with the last message of its stream; a second answer in it is a duplicate.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use super::connection::{ANSWER_MAX, CallError};
use super::crew::{Book, Caller, Crew, CrewError};
use super::dress::Wardrobe;
use crate::echo::{read_answer, read_progress, unix_nanos};
use crate::tally::Back;

/// Longest event that is read.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

pub async fn run(crew: Crew, book: &Book) -> Result<(Crew, Duration), CrewError> {
    let work = crew.work(|wardrobe, mut caller| {
        let book = book.clone();
        async move {
            while let Some(number) = book.write(|ledger, _| ledger.next_number()) {
                listen(&mut caller, &wardrobe, &book, number).await;
            }
            caller
        }
    });
    work.await
}

async fn listen(caller: &mut Caller, wardrobe: &Wardrobe, book: &Book, number: u64) {
    let home = caller.session.as_ref().map(|session| session.home.clone());
    let outcome = read(caller, wardrobe, book, number).await;
    book.write(|ledger, _| {
        let back = match &outcome {
            Ok(Ended::Answered(bytes)) => Back::Answer(bytes),
            Ok(Ended::Refused(status)) => Back::Refused(*status),
            Ok(Ended::Silent) | Err(_) => Back::Lost,
        };
        ledger.settle(number, home.as_deref(), back);
    });
}

enum Ended {
    Answered(Bytes),
    Refused(u16),
    /// The stream ended without an answer.
    Silent,
}

async fn read(caller: &mut Caller, wardrobe: &Wardrobe, book: &Book, number: u64) -> Result<Ended, CallError> {
    let request = wardrobe.call(number, caller.session.as_ref().map(|session| &session.id));
    let response = caller.connection.send(request).await?;
    if !response.status().is_success() {
        return Ok(Ended::Refused(response.status().as_u16()));
    }
    let mut body = response.into_body();
    let mut lines = BytesMut::new();
    let mut answer = None;
    while let Some(frame) = timeout(ANSWER_MAX, body.frame()).await.map_err(|_| CallError::Slow)? {
        let Ok(data) = frame?.into_data() else { continue };
        let came = unix_nanos();
        lines.extend_from_slice(&data);
        while let Some(event) = next_event(&mut lines) {
            take_in(event, came, book, &mut answer);
        }
        if lines.len() > EVENT_BYTES_MAX {
            break;
        }
    }
    Ok(answer.map_or(Ended::Silent, Ended::Answered))
}

fn take_in(data: Bytes, came: u64, book: &Book, answer: &mut Option<Bytes>) {
    book.write(|ledger, figures| {
        if let Some(made) = read_progress(&data) {
            figures.latency.record(Duration::from_nanos(came.saturating_sub(made)));
            figures.units += 1;
        } else if answer.is_none() {
            *answer = Some(data);
        } else if read_answer(&data).is_some() {
            ledger.surplus();
        }
    });
}

/// Takes the data of the next whole event that has any.
fn next_event(lines: &mut BytesMut) -> Option<Bytes> {
    loop {
        let end = lines.windows(2).position(|pair| pair == b"\n\n")?;
        let event = lines.split_to(end + 2).freeze();
        let data = event.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"data: "));
        if let Some(data) = data {
            return Some(event.slice_ref(data));
        }
    }
}

#[cfg(test)]
mod tests;
