//! A server that answers as a script says, rightly or not.

use std::net::SocketAddr;

use outrigger_load_tests::echo::answer::{answer, list};
use outrigger_load_tests::echo::event::{acknowledged, closed, told};
use outrigger_load_tests::echo::request::Request;
use outrigger_load_tests::echo::{Era, STREAM_HEADER};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Events of each open stream, all told as soon as it is open.
pub const EVENTS: u64 = 4;

/// What the server does with a call, or with a stream, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    Truth,
    /// The answer of the call with this number.
    AnswerOf(u64),
    /// The right number, from a replica that does not hold the session.
    Elsewhere,
    Status(u16),
    /// A stream ends in its middle.
    HangUp,
    Garbage,
    /// In a stream: the answer, or an event, twice.
    Twice,
    /// One tool, one byte of text, or the last event, is missing.
    Short,
    /// One letter is another.
    Changed,
    /// The agent heard one byte less than was said.
    Misheard,
    /// An event of another stream.
    Strange,
    /// A listen stream without its acknowledgement.
    Unacknowledged,
}

pub async fn liar(script: fn(u64) -> Lie) -> SocketAddr {
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
        let Some(said) = say(&head, &body, script) else { return };
        if stream.write_all(said.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn say(head: &str, body: &str, script: fn(u64) -> Lie) -> Option<String> {
    if let Some(rest) = head.to_lowercase().split(&format!("{STREAM_HEADER}: ")).nth(1) {
        let number = rest.lines().next().unwrap().parse().unwrap();
        return Some(feed(Era::Legacy, number, script(number)));
    }
    let request: Option<Request<'_>> = serde_json::from_str(body).ok();
    let Some(request) = request else { return Some("HTTP/1.1 204 No Content\r\n\r\n".to_owned()) };
    let number = request.params.arguments.number.or(request.params.meta.number);
    match request.method.as_ref() {
        "initialize" => {
            let body = r#"{"jsonrpc":"2.0","id":0,"result":{"serverInfo":{"name":"home"}}}"#;
            Some(respond(200, "application/json\r\nMcp-Session-Id: s1", body))
        }
        "subscriptions/listen" => Some(feed(Era::Modern, number.unwrap(), script(number.unwrap()))),
        _ => match number {
            Some(number) => reply(&request, number, script(number)),
            None => Some(respond(202, "text/plain", "")),
        },
    }
}

fn reply(request: &Request<'_>, number: u64, lie: Lie) -> Option<String> {
    let (arguments, meta) = (&request.params.arguments, &request.params.meta);
    let of = |number: u64, replica: &str, short: usize| match request.method.as_ref() {
        "tools/list" => list(&number.to_string(), number, replica, meta.tools - short),
        _ => {
            let bytes = if short > 0 { arguments.reply_bytes.max(2) - short } else { arguments.reply_bytes };
            answer(&number.to_string(), number, replica, arguments.heard(), bytes)
        }
    };
    let body = match lie {
        Lie::AnswerOf(other) => of(other, "home", 0),
        Lie::Elsewhere => of(number, "elsewhere", 0),
        Lie::Short => of(number, "home", 1),
        Lie::Changed => of(number, "home", 0).replacen("store 1", "store 2", 1).replacen("0000100 ", "0000101 ", 1),
        Lie::Misheard => {
            let heard = arguments.heard();
            answer(&number.to_string(), number, "home", heard - 1, arguments.reply_bytes)
        }
        Lie::Status(status) => return Some(respond(status, "application/json", "{}")),
        Lie::Garbage => "<html>".to_owned(),
        Lie::HangUp => return None,
        _ => of(number, "home", 0),
    };
    let stream = lie == Lie::Twice || arguments.events > 0;
    let count = if lie == Lie::Twice { 2 } else { 1 };
    Some(match stream {
        true => respond(200, "text/event-stream", &event(&body).repeat(count)),
        false => respond(200, "application/json", &body),
    })
}

/// A whole stream: what it begins with, its events, and for a listen stream its end.
fn feed(era: Era, number: u64, lie: Lie) -> String {
    if let Lie::Status(status) = lie {
        return respond(status, "application/json", "{}");
    }
    let modern = era == Era::Modern;
    let mut text = match (modern, lie) {
        (true, Lie::Unacknowledged) => String::new(),
        (true, _) => event(&acknowledged(number)),
        (false, _) => ": open\n\n".to_owned(),
    };
    for step in 0..EVENTS {
        let right = event(&told(era, number, step, "home"));
        text += &match (step, lie) {
            (2, Lie::HangUp) => break,
            (1, Lie::Twice) => right.repeat(2),
            (1, Lie::Strange) => event(&told(era, number + 1, step, "home")),
            (1, Lie::Elsewhere) => event(&told(era, number, step, "elsewhere")),
            (1, Lie::Garbage) => event("<html>"),
            _ => right,
        };
    }
    if modern && !matches!(lie, Lie::HangUp | Lie::Short) {
        text += &event(&closed(number, "home", EVENTS));
    }
    respond(200, "text/event-stream", &text)
}

fn event(message: &str) -> String {
    format!("event: message\ndata: {message}\n\n")
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
