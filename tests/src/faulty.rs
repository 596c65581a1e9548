//! An agent in the test's own process whose answers and connections break exactly where a call says.
//!
//! In: its name; in each request what is to go wrong, as `X-Fault`, which the mesh passes on, and a number. Out: which numbers it executed.
//! Faults: `late MS`, `late MS REPLICA`; `cut BYTES close|reset` of a JSON answer, head included; `events BYTES close|reset` of the body of
//! a stream; `request BYTES` of a body, then a reset; `closes` right behind the answer; `bait`: the next request on this connection is reset.
//! Never here: an HTTP library, because what must break here is bytes.
//! Invariant: a number counts as executed once its whole request was read, whatever becomes of the answer, and no other time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The events of every stream, each as one chunk.
pub const EVENTS: [&str; 3] = [
    "id: 1\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/one\"}\n\n",
    "id: 2\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/two\"}\n\n",
    "id: 3\ndata: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n\n",
];

pub struct Faulty {
    pub name: String,
    port: u16,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    executed: Mutex<BTreeMap<u64, usize>>,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Close,
    Reset,
}

/// What goes wrong with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fault {
    Late(Duration),
    Cut(usize, End),
    Events(usize, End),
    Request(usize),
    Closes,
    Bait,
}

/// A request that was read, or as much of it as its fault allows.
struct Asked {
    head: String,
    body: String,
}

impl Faulty {
    pub async fn start(name: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (port, seen) = (listener.local_addr()?.port(), Arc::<Seen>::default());
        let (own, shared) = (name.to_owned(), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (own, shared) = (own.clone(), Arc::clone(&shared));
                // How a connection ends is what is tested elsewhere.
                tokio::spawn(async move { drop(serve(stream, &own, &shared).await) });
            }
        });
        Ok(Self { name: name.to_owned(), port, seen, task })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    /// How often it executed each number.
    pub fn executed(&self) -> BTreeMap<u64, usize> {
        self.seen.executed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The body of a stream that ends well.
pub fn stream() -> String {
    EVENTS.iter().map(|event| format!("{:x}\r\n{event}\r\n", event.len())).chain(["0\r\n\r\n".to_owned()]).collect()
}

/// The whole JSON answer of a replica.
pub fn answer(name: &str) -> String {
    let body = format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"content":[{{"type":"text","text":"{name}"}}]}}}}"#);
    json(&body)
}

fn json(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn serve(mut stream: TcpStream, name: &str, seen: &Seen) -> Result<()> {
    let (mut heard, mut baited) = (Vec::new(), false);
    loop {
        if baited {
            // The next request is on its way; nothing of it is read.
            stream.readable().await?;
            return end(stream, End::Reset);
        }
        let Asked { head, body } = request(&mut stream, &mut heard).await?;
        let fault = field(&head, "x-fault").map(|text| Fault::parse(text, name)).transpose()?.flatten();
        let is_whole = !matches!(fault, Some(Fault::Request(_)));
        if let Some(number) = number(&body).filter(|_| is_whole) {
            *seen.executed.lock().unwrap_or_else(PoisonError::into_inner).entry(number).or_default() += 1;
        }
        match fault {
            None => stream.write_all(usual(&body, name).as_bytes()).await?,
            Some(Fault::Late(time)) => {
                tokio::time::sleep(time).await;
                stream.write_all(answer(name).as_bytes()).await?;
            }
            Some(Fault::Cut(count, how)) => return break_off(stream, answer(name), count, how).await,
            Some(Fault::Events(count, how)) => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
                return break_off(stream, format!("{head}{}", self::stream()), head.len() + count, how).await;
            }
            Some(Fault::Closes) => return break_off(stream, answer(name), usize::MAX, End::Close).await,
            Some(Fault::Request(_)) => return end(stream, End::Reset),
            Some(Fault::Bait) => {
                baited = true;
                stream.write_all(answer(name).as_bytes()).await?;
            }
        }
    }
}

impl Fault {
    /// None where it is meant for another replica.
    fn parse(text: &str, name: &str) -> Result<Option<Self>> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let end = |word: &str| match word {
            "close" => Ok(End::Close),
            "reset" => Ok(End::Reset),
            _ => bail!("no end: {text}"),
        };
        Ok(match words.as_slice() {
            ["late", time] => Some(Self::Late(Duration::from_millis(time.parse()?))),
            ["late", time, replica] => (*replica == name).then_some(Self::Late(Duration::from_millis(time.parse()?))),
            ["cut", count, how] => Some(Self::Cut(count.parse()?, end(how)?)),
            ["events", count, how] => Some(Self::Events(count.parse()?, end(how)?)),
            ["request", count] => Some(Self::Request(count.parse()?)),
            ["closes"] => Some(Self::Closes),
            ["bait"] => Some(Self::Bait),
            _ => bail!("no fault: {text}"),
        })
    }
}

/// The next request; of one whose body is to break off no more than the fault says.
async fn request(stream: &mut TcpStream, heard: &mut Vec<u8>) -> Result<Asked> {
    let end = loop {
        if let Some(at) = heard.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, heard).await?;
    };
    let head: Vec<u8> = heard.drain(..end).collect();
    let head = String::from_utf8(head)?.to_ascii_lowercase();
    let length: usize = field(&head, "content-length").map_or(Ok(0), str::parse)?;
    let wanted = match field(&head, "x-fault").and_then(|text| text.strip_prefix("request ")) {
        Some(count) => length.min(count.parse()?),
        None => length,
    };
    while heard.len() < wanted {
        more(stream, heard).await?;
    }
    let body: Vec<u8> = heard.drain(..wanted).collect();
    Ok(Asked { head, body: String::from_utf8(body)? })
}

async fn more(stream: &mut TcpStream, heard: &mut Vec<u8>) -> Result<()> {
    let mut buffer = [0; 16 * 1024];
    let count = stream.read(&mut buffer).await?;
    ensure!(count > 0, "the connection ended");
    heard.extend(buffer.iter().take(count));
    Ok(())
}

fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn number(body: &str) -> Option<u64> {
    let (_, rest) = body.split_once(r#""number":"#)?;
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..digits)?.parse().ok()
}

/// What the mesh asks itself is answered as by a server that offers nothing.
fn usual(body: &str, name: &str) -> String {
    if number(body).is_some() {
        return answer(name);
    }
    json(r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}"#)
}

async fn break_off(mut stream: TcpStream, text: String, count: usize, how: End) -> Result<()> {
    let part = text.as_bytes().get(..count.min(text.len())).context("within the text")?;
    stream.write_all(part).await?;
    end(stream, how)
}

fn end(stream: TcpStream, how: End) -> Result<()> {
    if how == End::Reset {
        stream.set_zero_linger()?;
    }
    drop(stream);
    Ok(())
}
