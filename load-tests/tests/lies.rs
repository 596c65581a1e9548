//! The generator's account against a server that lies: each lie must stand in its column, and only there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::net::SocketAddr;

use outrigger_load_tests::echo::{self, Era, Form};
use outrigger_load_tests::generate::crew::Book;
use outrigger_load_tests::generate::{Crew, Dress, Target, rate, saturate, sessions, streams};
use outrigger_load_tests::tally::{Executed, Tally};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a call, by its number.
#[derive(Clone, Copy)]
enum Lie {
    Truth,
    /// The answer of the call with this number.
    AnswerOf(u64),
    /// The right number, from a replica that does not hold the session.
    Elsewhere,
    Status(u16),
    HangUp,
    Garbage,
    /// In a stream: the answer, twice.
    Twice,
}

async fn liar(script: fn(u64) -> Lie) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, script));
        }
    });
    address
}

async fn converse(mut stream: TcpStream, script: fn(u64) -> Lie) {
    while let Some((head, body)) = read(&mut stream).await {
        let initialize = body.contains("\"initialize\"");
        let number = body.split("\"number\":").nth(1).and_then(|rest| rest.split(',').next()?.parse().ok());
        let said = match number {
            Some(number) => match answer(number, script(number)) {
                Some(said) => said,
                None => return,
            },
            None if initialize => {
                let body = r#"{"jsonrpc":"2.0","id":0,"result":{"serverInfo":{"name":"home"}}}"#;
                respond(200, "application/json\r\nMcp-Session-Id: s1", body)
            }
            None if head.starts_with("DELETE") => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
            None => respond(202, "text/plain", ""),
        };
        if stream.write_all(said.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn answer(number: u64, lie: Lie) -> Option<String> {
    let of = |number: u64, replica| echo::answer(&number.to_string(), number, replica);
    Some(match lie {
        Lie::Truth => respond(200, "application/json", &of(number, "home")),
        Lie::AnswerOf(other) => respond(200, "application/json", &of(other, "home")),
        Lie::Elsewhere => respond(200, "application/json", &of(number, "elsewhere")),
        Lie::Status(status) => respond(status, "application/json", "{}"),
        Lie::Garbage => respond(200, "application/json", "<html>"),
        Lie::HangUp => return None,
        Lie::Twice => {
            let event = format!("data: {}\n\n", of(number, "home"));
            respond(200, "text/event-stream", &event.repeat(2))
        }
    })
}

fn respond(status: u16, kind: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length =
                head.split("content-length: ").nth(1).map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
            while bytes.len() < end + 4 + length {
                take(stream, &mut bytes).await?;
            }
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            return Some((head, String::from_utf8_lossy(&bytes[end + 4..]).into_owned()));
        }
        take(stream, &mut bytes).await?;
    }
}

async fn take(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut part = [0; 4096];
    let count = stream.read(&mut part).await.ok().filter(|count| *count > 0)?;
    bytes.extend_from_slice(&part[..count]);
    Some(())
}

fn in_sessions() -> Dress {
    Dress { session: true, ..Dress::plain(Era::Legacy) }
}

async fn hire(script: fn(u64) -> Lie, dress: &Dress, callers: usize) -> Crew {
    Crew::hire(&Target::new(liar(script).await, "/mcp"), dress, callers).await.unwrap()
}

async fn tally_of(script: fn(u64) -> Lie, calls: u64) -> Tally {
    let crew = hire(script, &in_sessions(), 4).await;
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
    let dress = Dress { form: Form::Events { count: 1, every_ms: 1 }, ..Dress::plain(Era::Legacy) };
    let crew = hire(script, &dress, 1).await;
    let book = Book::new(4);
    let (_crew, elapsed) = streams::run(crew, &book).await.unwrap();
    let tally = book.close(Executed::default(), elapsed).tally;
    assert_eq!((tally.answered, tally.duplicated, tally.lost), (1, 1, 3));
}
