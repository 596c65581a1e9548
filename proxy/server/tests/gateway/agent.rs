//! A scripted agent: each connection is handed to a function with raw sockets, so that tests see exactly what is sent.

use std::collections::HashSet;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub struct Agent {
    pub address: SocketAddr,
    requests: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// One request as it came over the wire.
#[derive(Debug, Clone)]
pub struct Request {
    pub head: String,
    pub body: Vec<u8>,
}

/// The agent's end of a connection.
pub struct Conversation {
    pub stream: TcpStream,
    heard: Vec<u8>,
    requests: Arc<AtomicUsize>,
}

impl Agent {
    /// Runs `script` on each connection.
    pub async fn start<F, S>(script: F) -> Self
    where
        F: Fn(Conversation) -> S + Send + Sync + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let conversation = Conversation { stream, heard: Vec::new(), requests: Arc::clone(&counted) };
                tokio::spawn(script(conversation));
            }
        });
        Self { address, requests, task }
    }

    /// Answers every request with `answer`, a whole HTTP message.
    pub async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::start(move |mut conversation| {
            let answer = Arc::clone(&answer);
            async move {
                while conversation.request().await.is_some() {
                    conversation.send(&answer).await;
                }
            }
        })
        .await
    }

    /// Answers every request with its own head and body as JSON text lines.
    pub async fn echoing() -> Self {
        Self::start(|mut conversation| async move {
            while let Some(request) = conversation.request().await {
                let mut answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
                    request.head.len() + request.body.len()
                )
                .into_bytes();
                answer.extend_from_slice(request.head.as_bytes());
                answer.extend_from_slice(&request.body);
                conversation.send(&answer).await;
            }
        })
        .await
    }

    /// Mints a session for each request without one, knows those it minted, and says 404 to all others. A GET gets a stream with one event, a
    /// DELETE ends the session, and a POST is answered with its id.
    pub async fn minting() -> Self {
        let known = Arc::new(Mutex::new(HashSet::new()));
        let minted = Arc::new(AtomicUsize::new(0));
        Self::start(move |mut conversation| {
            let (known, minted) = (Arc::clone(&known), Arc::clone(&minted));
            async move {
                while let Some(request) = conversation.request().await {
                    let head = request.head.to_lowercase();
                    let named = head.split_once("mcp-session-id: ").and_then(|(_, rest)| rest.lines().next());
                    let answer = match named.map(str::to_owned) {
                        None => {
                            let id = format!("s-{}", minted.fetch_add(1, Ordering::SeqCst));
                            known.lock().expect("lock").insert(id.clone());
                            format!("HTTP/1.1 200 OK\r\nMcp-Session-Id: {id}\r\nContent-Length: 2\r\n\r\n{{}}")
                        }
                        Some(id) if !known.lock().expect("lock").contains(&id) => {
                            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned()
                        }
                        Some(_) if head.starts_with("get") => {
                            let type_of = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked";
                            format!("HTTP/1.1 200 OK\r\n{type_of}\r\n\r\nd\r\ndata: one\r\n\r\n\r\n")
                        }
                        Some(id) if head.starts_with("delete") => {
                            known.lock().expect("lock").remove(&id);
                            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned()
                        }
                        Some(id) => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{id}", id.len()),
                    };
                    conversation.send(answer.as_bytes()).await;
                }
            }
        })
        .await
    }

    /// How many requests reached it.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Conversation {
    /// The next request with its whole body; none when the connection ended.
    pub async fn request(&mut self) -> Option<Request> {
        let end = loop {
            if let Some(at) = self.heard.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.hear().await?;
        };
        let head = String::from_utf8(self.heard.drain(..end).collect()).expect("a head is text");
        let lower = head.to_ascii_lowercase();
        let mut body = Vec::new();
        if let Some((_, rest)) = lower.split_once("content-length:") {
            let length: usize = rest.lines().next()?.trim().parse().expect("a length");
            while self.heard.len() < length {
                self.hear().await?;
            }
            body = self.heard.drain(..length).collect();
        } else if lower.contains("transfer-encoding: chunked") {
            loop {
                let line_end = loop {
                    match self.heard.windows(2).position(|two| two == b"\r\n") {
                        Some(at) => break at,
                        None => self.hear().await?,
                    }
                };
                let line: Vec<u8> = self.heard.drain(..line_end + 2).collect();
                let text = std::str::from_utf8(&line[..line_end]).expect("a size is text");
                let size = usize::from_str_radix(text, 16).expect("a size");
                while self.heard.len() < size + 2 {
                    self.hear().await?;
                }
                body.extend(self.heard.drain(..size));
                self.heard.drain(..2);
                if size == 0 {
                    break;
                }
            }
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        Some(Request { head, body })
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        // A caller that left is for the test to notice, not for the agent.
        drop(self.stream.write_all(bytes).await);
        drop(self.stream.flush().await);
    }

    /// Waits until the other end closes.
    pub async fn closed(&mut self) {
        while self.hear().await.is_some() {}
    }

    async fn hear(&mut self) -> Option<()> {
        let mut buffer = [0; 16 * 1024];
        let read = self.stream.read(&mut buffer).await.ok()?;
        self.heard.extend_from_slice(&buffer[..read]);
        (read > 0).then_some(())
    }
}
