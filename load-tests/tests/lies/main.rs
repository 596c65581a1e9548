//! The generator's account against a server that lies: each lie must stand in its column, and only there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod feeds;
mod liar;

use liar::{Lie, liar};
use outrigger_load_tests::echo::{Ask, Era, Form, Mix};
use outrigger_load_tests::generate::{Book, Crew, Dress, Target, rate, saturate, sessions, streams};
use outrigger_load_tests::tally::{Executed, Tally};

fn in_sessions() -> Dress {
    Dress { session: true, ..Dress::plain(Era::Legacy) }
}

async fn hire(script: fn(u64) -> Lie, dress: &Dress, callers: usize) -> Crew {
    Crew::hire(&Target::new(liar(script).await, "/mcp"), dress, callers).await.unwrap()
}

async fn tally_of(script: fn(u64) -> Lie, calls: u64) -> Tally {
    tally_in(script, &in_sessions(), calls).await
}

async fn tally_in(script: fn(u64) -> Lie, dress: &Dress, calls: u64) -> Tally {
    let crew = hire(script, dress, 4).await;
    let book = Book::new(calls);
    let (crew, elapsed) = saturate::run(crew, &book).await.unwrap();
    drop(crew);
    book.close(Executed { once: calls, again: 0 }, elapsed).tally
}

#[tokio::test]
async fn the_truth_is_clean() {
    let tally = tally_of(|_| Lie::Truth, 200).await;
    assert!(tally.is_clean(), "{tally:?}");
    assert_eq!(tally.answered, 200);
}

#[tokio::test]
async fn each_lie_is_counted_exactly() {
    let script = |number| match number % 10 {
        0 => Lie::Status(503),
        1 => Lie::Elsewhere,
        2 => Lie::HangUp,
        3 => Lie::Garbage,
        _ => Lie::Truth,
    };
    let tally = tally_of(script, 200).await;
    let expected = Tally { calls: 200, answered: 120, refused: 20, misrouted: 20, lost: 20, wrong: 20, duplicated: 0 };
    assert_eq!(tally, expected);
}

#[tokio::test]
async fn an_answer_given_to_another_caller_is_wrong_and_duplicated() {
    // Number 7 also gets the answer of 6, and 6 its own.
    let tally = tally_of(|number| if number == 7 { Lie::AnswerOf(6) } else { Lie::Truth }, 100).await;
    assert_eq!((tally.answered, tally.wrong, tally.duplicated), (99, 1, 1));
}

#[tokio::test]
async fn answers_that_were_swapped_are_both_wrong() {
    let script = |number| match number {
        6 => Lie::AnswerOf(7),
        7 => Lie::AnswerOf(6),
        _ => Lie::Truth,
    };
    let tally = tally_of(script, 100).await;
    assert_eq!((tally.answered, tally.wrong, tally.duplicated), (98, 2, 0));
}

#[tokio::test]
async fn open_loop_settles_every_call_although_connections_break() {
    let script = |number| if number % 50 == 0 { Lie::HangUp } else { Lie::Truth };
    let crew = hire(script, &in_sessions(), 4).await;
    let book = Book::new(500);
    let (_crew, elapsed) = rate::run(crew, &book, 5_000, 500).await.unwrap();
    let figures = book.close(Executed::default(), elapsed);
    assert_eq!((figures.tally.calls, figures.tally.answered, figures.tally.lost), (500, 490, 10));
    assert_eq!(figures.latency.count(), 500);
}

#[tokio::test]
async fn a_session_that_moves_is_seen_in_sessions_that_come_and_go() {
    let script = |number| if number == 13 { Lie::Elsewhere } else { Lie::Truth };
    let crew = hire(script, &Dress::plain(Era::Legacy), 2).await;
    let book = Book::new(40);
    let (_crew, elapsed) = sessions::run(crew, &book, 5).await.unwrap();
    let figures = book.close(Executed::default(), elapsed);
    assert_eq!((figures.tally.answered, figures.tally.misrouted), (39, 1));
    assert!(figures.opening.count() >= 8);
}

#[tokio::test]
async fn a_stream_with_two_answers_is_a_duplicate_and_one_without_is_lost() {
    let script = |number| if number == 2 { Lie::Twice } else { Lie::HangUp };
    let dress = Dress::plain(Era::Legacy).asking(Ask::of(Form::Events { count: 1, every_ms: 1 }));
    let crew = hire(script, &dress, 1).await;
    let book = Book::new(4);
    let (_crew, elapsed) = streams::run(crew, &book).await.unwrap();
    let tally = book.close(Executed::default(), elapsed).tally;
    assert_eq!((tally.answered, tally.duplicated, tally.lost), (1, 1, 3));
}

#[tokio::test]
async fn a_list_that_is_short_changed_misrouted_or_lost_is_seen() {
    let script = |number| match number % 10 {
        0 => Lie::Short,
        1 => Lie::Changed,
        2 => Lie::Elsewhere,
        3 => Lie::HangUp,
        4 => Lie::Status(500),
        _ => Lie::Truth,
    };
    let dress = in_sessions().asking(Ask::of(Form::List { tools: 40 }));
    let tally = tally_in(script, &dress, 100).await;
    let expected = Tally { calls: 100, answered: 50, wrong: 20, misrouted: 10, lost: 10, refused: 10, duplicated: 0 };
    assert_eq!(tally, expected);
}

#[tokio::test]
async fn a_large_body_that_is_short_or_changed_in_either_direction_is_wrong() {
    let script = |number| match number {
        3 => Lie::Short,
        4 => Lie::Changed,
        5 => Lie::Misheard,
        _ => Lie::Truth,
    };
    let ask = Ask { padding_bytes: 65_536, reply_bytes: 65_536, ..Ask::PLAIN };
    let tally = tally_in(script, &in_sessions().asking(ask), 20).await;
    assert_eq!((tally.answered, tally.wrong, tally.calls), (17, 3, 20));
}

#[tokio::test]
async fn in_a_mix_every_kind_of_call_is_held_to_what_it_asked_for() {
    let kinds = [
        Ask::PLAIN,
        Ask::of(Form::List { tools: 7 }),
        Ask::of(Form::Events { count: 2, every_ms: 1 }),
        Ask { padding_bytes: 9_000, reply_bytes: 9_000, ..Ask::PLAIN },
    ];
    let mix = Mix::of(3, (1, kinds[0]), kinds[1..].iter().map(|ask| (1, *ask)).collect());
    for kind in kinds {
        assert!((0..200).any(|number| mix.ask(number) == &kind));
    }
    let script = |number| if number % 4 == 0 { Lie::Short } else { Lie::Truth };
    let tally = tally_in(script, &Dress { mix, ..in_sessions() }, 200).await;
    assert_eq!((tally.answered, tally.wrong, tally.duplicated), (150, 50, 0));
}

#[tokio::test]
async fn a_list_given_to_another_caller_is_wrong_and_duplicated() {
    let script = |number| if number == 7 { Lie::AnswerOf(6) } else { Lie::Truth };
    let tally = tally_in(script, &in_sessions().asking(Ask::of(Form::List { tools: 3 })), 100).await;
    assert_eq!((tally.answered, tally.wrong, tally.duplicated), (99, 1, 1));
}
