//! An agent in the test's own process that does as it is told and remembers what it saw, byte by byte.
//!
//! In: its name. Out: its URL, what it was asked, which of its connections ended while an answer was owed.
//! Tools: `silence` is never answered; `events` is answered with a stream, as a GET is; what is on streams is the test's to say.
//! Never here: an HTTP library, because what must be seen here is when bytes and the ends of connections come.
//! Invariant: it reads while it owes an answer, so it notices at once that nobody waits for it any more.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::wait;

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

pub struct Witness {
    pub name: String,
    port: u16,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    /// First line and body of each request that was not of the mesh itself.
    requests: Vec<String>,
    sessions: usize,
    /// Streams that are open, the last one last.
    streams: Vec<Arc<tokio::sync::Mutex<OwnedWriteHalf>>>,
    /// What was owed on connections that ended.
    left: Vec<String>,
}

impl Witness {
    pub async fn start(name: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (name, shared) = (name.to_owned(), Arc::clone(&seen));
        let own = name.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (own, shared) = (own.clone(), Arc::clone(&shared));
                // A connection that ends in the middle of a request is nobody's loss.
                tokio::spawn(async move { drop(serve(stream, &own, &shared).await) });
            }
        });
        Ok(Self { name, port, seen, task })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    /// How many requests so far hold `words` in their first line or their body.
    pub fn asked(&self, words: &str) -> usize {
        look(&self.seen).requests.iter().filter(|request| request.contains(words)).count()
    }

    /// How many connections ended while an answer to a request with `words` was owed.
    pub fn left(&self, words: &str) -> usize {
        look(&self.seen).left.iter().filter(|request| request.contains(words)).count()
    }

    /// Writes on the stream that was opened last, as one chunk.
    pub async fn say(&self, text: &str) -> Result<()> {
        self.write(&format!("{:x}\r\n{text}\r\n", text.len())).await
    }

    /// Ends the stream that was opened last.
    pub async fn end(&self) -> Result<()> {
        self.write("0\r\n\r\n").await?;
        look(&self.seen).streams.pop();
        Ok(())
    }

    async fn write(&self, text: &str) -> Result<()> {
        let last = wait::until("a stream is open", async || {
            let seen = look(&self.seen);
            seen.streams.last().cloned().context("none is")
        })
        .await?;
        Ok(last.lock().await.write_all(text.as_bytes()).await?)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn look(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(stream: TcpStream, name: &str, seen: &Mutex<Seen>) -> Result<()> {
    let (mut read, write) = stream.into_split();
    let write = Arc::new(tokio::sync::Mutex::new(write));
    let mut heard = Vec::new();
    loop {
        let request = request(&mut read, &mut heard).await?;
        look(seen).requests.push(request.clone());
        let is_stream = request.starts_with("GET") || request.contains(r#""name":"events""#);
        if is_stream {
            write.lock().await.write_all(STREAM.as_bytes()).await?;
            look(seen).streams.push(Arc::clone(&write));
        } else if !request.contains(r#""name":"silence""#) {
            let answer = answer(&request, name, seen);
            write.lock().await.write_all(answer.as_bytes()).await?;
            continue;
        }
        // The next thing that is read is the end, unless the stream has ended before and the connection is used again.
        if let Err(end) = more(&mut read, &mut heard).await {
            let mut seen = look(seen);
            let open = seen.streams.len();
            seen.streams.retain(|stream| !Arc::ptr_eq(stream, &write));
            if !is_stream || seen.streams.len() < open {
                seen.left.push(request);
            }
            return Err(end);
        }
    }
}

/// The first line and the body of the next request.
async fn request(read: &mut OwnedReadHalf, heard: &mut Vec<u8>) -> Result<String> {
    let end = loop {
        if let Some(at) = heard.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        more(read, heard).await?;
    };
    let head: Vec<u8> = heard.drain(..end).collect();
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    ensure!(!head.contains("x-accel-buffering"), "nobody asks for that header");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(Ok(0), |text| text.trim().parse())?;
    while heard.len() < length {
        more(read, heard).await?;
    }
    let body: Vec<u8> = heard.drain(..length).collect();
    let first = head.lines().next().unwrap_or_default();
    Ok(format!("{} {}", first.to_ascii_uppercase(), String::from_utf8_lossy(&body)))
}

async fn more(read: &mut OwnedReadHalf, heard: &mut Vec<u8>) -> Result<()> {
    let mut buffer = [0; 16 * 1024];
    let count = read.read(&mut buffer).await?;
    ensure!(count > 0, "the connection ended");
    heard.extend(buffer.iter().take(count));
    Ok(())
}

fn answer(request: &str, name: &str, seen: &Mutex<Seen>) -> String {
    let of_json = |headers: &str, body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    if request.contains(r#""initialize""#) {
        let mut seen = look(seen);
        seen.sessions += 1;
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"protocolVersion":"2025-06-18","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"{name}","version":"1.0.0"}}}}}}"#
        );
        of_json(&format!("Mcp-Session-Id: {name}-{}\r\n", seen.sessions), &body)
    } else if request.contains(r#""notifications/"#) {
        "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned()
    } else if request.contains(r#""tools/list""#) {
        of_json("", r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[]}}"#)
    } else if request.starts_with("DELETE") {
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned()
    } else {
        of_json("", r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}"#)
    }
}
