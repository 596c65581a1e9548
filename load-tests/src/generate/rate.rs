//! Open loop: calls are due at a constant rate, and whichever caller is free takes the next.
//!
//! Invariant: a call that finds no free caller waits, and its wait is part of its latency.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Mutex, mpsc};

use super::book::Book;
use super::crew::{Crew, CrewError};
use super::pace::{Pace, beat};

/// Calls that are due and wait for a caller; beyond it they are given out later with the same due time.
const WAITING_MAX: usize = 65_536;

/// Makes `count` calls at `per_second`.
pub async fn run(
    crew: Crew,
    book: &Book,
    per_second: u64,
    count: u64,
) -> Result<(Crew, std::time::Duration), CrewError> {
    let (due, waiting) = mpsc::channel(WAITING_MAX);
    let waiting = Arc::new(Mutex::new(waiting));
    let pace = Pace::new(Instant::now(), per_second);
    beat(pace, count, due)?;
    let work = crew.work(|wardrobe, mut caller| {
        let (waiting, book) = (Arc::clone(&waiting), book.clone());
        async move {
            loop {
                // Callers queue up here in turn, so that all connections are used.
                let Some(due) = waiting.lock().await.recv().await else { return caller };
                let late = due.elapsed();
                let Some(number) = book.write(|ledger, _| ledger.next_number()) else { return caller };
                caller.call(&wardrobe, &book, number).await;
                book.write(|_, figures| {
                    figures.late.record(late);
                    figures.latency.record(due.elapsed());
                    figures.units += 1;
                });
            }
        }
    });
    work.await
}
