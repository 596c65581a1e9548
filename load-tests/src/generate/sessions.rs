//! Sessions that come and go: open, a few calls, close, again.
//!
//! Invariant: every call of a session must be answered by the replica that opened it; a session that cannot be opened
//! counts as one refused call.

use std::time::{Duration, Instant};

use super::book::Book;
use super::connection::ANSWER_MAX;
use super::crew::{Crew, CrewError, end, open};
use crate::tally::Back;

/// Requests of a session beside its calls: `initialize`, the notification, DELETE.
const AROUND: u64 = 3;

pub async fn run(crew: Crew, book: &Book, calls_each: u64) -> Result<(Crew, Duration), CrewError> {
    let work = crew.work(|wardrobe, mut caller| {
        let book = book.clone();
        async move {
            while let Some(first) = book.write(|ledger, _| ledger.next_number()) {
                let began = Instant::now();
                let opened = tokio::time::timeout(ANSWER_MAX, open(&wardrobe, &mut caller.connection, first)).await;
                let Ok(Ok((session, first_byte))) = opened else {
                    let ask = wardrobe.dress.mix.ask(first);
                    book.write(|ledger, _| ledger.settle(first, ask, None, Back::Refused(0)));
                    continue;
                };
                book.write(|_, figures| {
                    figures.opening.record(began.elapsed());
                    figures.first_byte.record(first_byte);
                });
                caller.session = Some(session.clone());
                let mut next = Some(first);
                let mut made = 0;
                while let Some(number) = next {
                    let began = Instant::now();
                    caller.call(&wardrobe, &book, number).await;
                    book.write(|_, figures| figures.latency.record(began.elapsed()));
                    made += 1;
                    next = if made < calls_each { book.write(|ledger, _| ledger.next_number()) } else { None };
                }
                end(&wardrobe, &mut caller.connection, &session).await;
                caller.session = None;
                book.write(|_, figures| figures.units += made + AROUND);
            }
            caller
        }
    });
    work.await
}
