//! Closed loop: every caller calls again as soon as it is answered, until all numbers are given out.
//!
//! Good for CPU per call and for the highest rate; its latencies say nothing about users.

use std::time::{Duration, Instant};

use super::book::Book;
use super::crew::{Crew, CrewError};

pub async fn run(crew: Crew, book: &Book) -> Result<(Crew, Duration), CrewError> {
    let work = crew.work(|wardrobe, mut caller| {
        let book = book.clone();
        async move {
            while let Some(number) = book.write(|ledger, _| ledger.next_number()) {
                let began = Instant::now();
                caller.call(&wardrobe, &book, number).await;
                book.write(|_, figures| {
                    figures.latency.record(began.elapsed());
                    figures.units += 1;
                });
            }
            caller
        }
    });
    work.await
}
