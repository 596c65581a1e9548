//! Open streams against the same liar: every event that had to come stands in one column.

use outrigger_load_tests::echo::Era;
use outrigger_load_tests::generate::feeds::Feeds;
use outrigger_load_tests::generate::{Book, Crew, Dress, Target};
use outrigger_load_tests::tally::{Executed, Tally};

use super::liar::{EVENTS, Lie, liar};

/// `streams` streams of two callers.
async fn tally_of(era: Era, script: fn(u64) -> Lie, streams: usize) -> Tally {
    let dress = Dress { session: era == Era::Legacy, ..Dress::plain(era) };
    let crew = Crew::hire(&Target::new(liar(script).await, "/mcp"), &dress, 2).await.unwrap();
    let feeds = Feeds::open(crew, streams / 2, EVENTS).await.unwrap();
    let book = Book::new(0);
    let (_crew, elapsed) = feeds.read(&book).await.unwrap();
    book.close(Executed::default(), elapsed).tally
}

const fn script(number: u64) -> Lie {
    match number {
        1 => Lie::HangUp,
        2 => Lie::Twice,
        3 => Lie::Strange,
        4 => Lie::Elsewhere,
        5 => Lie::Garbage,
        6 => Lie::Status(503),
        _ => Lie::Truth,
    }
}

#[tokio::test]
async fn events_of_get_streams_are_counted_exactly() {
    let tally = tally_of(Era::Legacy, |_| Lie::Truth, 8).await;
    assert!(tally.is_clean(), "{tally:?}");
    assert_eq!(tally.answered, 8 * EVENTS);
    let tally = tally_of(Era::Legacy, script, 8).await;
    let expected = Tally { calls: 32, answered: 23, lost: 2, wrong: 2, misrouted: 1, refused: 4, duplicated: 1 };
    assert_eq!(tally, expected);
}

#[tokio::test]
async fn events_and_the_end_of_listen_streams_are_counted_exactly() {
    let tally = tally_of(Era::Modern, |_| Lie::Truth, 8).await;
    assert!(tally.is_clean(), "{tally:?}");
    assert_eq!(tally.answered, 8 * (EVENTS + 1));
    // Nobody holds a session here, so an event from elsewhere is right.
    let tally = tally_of(Era::Modern, script, 8).await;
    let expected = Tally { calls: 40, answered: 30, lost: 3, wrong: 2, misrouted: 0, refused: 5, duplicated: 1 };
    assert_eq!(tally, expected);
}

#[tokio::test]
async fn a_listen_stream_without_its_end_or_its_beginning_is_seen() {
    let tally = tally_of(Era::Modern, |number| if number == 0 { Lie::Short } else { Lie::Truth }, 2).await;
    assert_eq!((tally.answered, tally.lost), (9, 1));
    let tally = tally_of(Era::Modern, |number| if number == 0 { Lie::Unacknowledged } else { Lie::Truth }, 2).await;
    assert_eq!((tally.answered, tally.refused), (5, 5));
}
