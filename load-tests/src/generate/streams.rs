//! Answers that come as streams of events: one stream per caller, and the time each event was under way.

use std::time::Duration;

use super::book::Book;
use super::crew::{Crew, CrewError};

pub async fn run(crew: Crew, book: &Book) -> Result<(Crew, Duration), CrewError> {
    let work = crew.work(|wardrobe, mut caller| {
        let book = book.clone();
        async move {
            while let Some(number) = book.write(|ledger, _| ledger.next_number()) {
                caller.call(&wardrobe, &book, number).await;
            }
            caller
        }
    });
    let done = work.await?;
    // What is told of this load is about events, not about calls.
    book.write(|_, figures| {
        figures.latency = figures.lag.clone();
        figures.units = figures.events;
    });
    Ok(done)
}
