//! A raw caller: writes bytes, reads bytes, and takes an answer apart without being forgiving.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const PATIENCE: Duration = Duration::from_secs(10);

pub struct Caller {
    pub stream: TcpStream,
    heard: Vec<u8>,
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    /// The body ended as its head had announced.
    pub whole: bool,
}

/// What a legacy client sends to call a tool.
pub const CALL: &str = r#"{"jsonrpc":"2.0","id":"call-7","method":"tools/call","params":{"name":"forecast"}}"#;

/// A message that holds so many bytes of text.
pub fn message(size: usize) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":"big","method":"x","params":{{"x":"{}"}}}}"#, "x".repeat(size))
}

impl Caller {
    pub async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.expect("connect"))
    }

    pub const fn over(stream: TcpStream) -> Self {
        Self { stream, heard: Vec::new() }
    }

    pub async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.expect("write");
    }

    pub async fn post(&mut self, path: &str, headers: &str, body: &str) -> Answer {
        self.send(&post(path, headers, body)).await;
        self.answer().await
    }

    /// Opens a session; the id that the answer names.
    pub async fn open(&mut self) -> String {
        let body = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#;
        let answer = self.post("/weather/mcp", "", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let lower = answer.head.to_lowercase();
        let (_, rest) = lower.split_once("mcp-session-id: ").expect("a session id");
        rest.lines().next().expect("a line").to_owned()
    }

    /// Calls a tool in a session.
    pub async fn call(&mut self, session: &str) -> Answer {
        self.post("/weather/mcp", &in_session(session), CALL).await
    }

    /// Opens the stream of a session, up to its first event.
    pub async fn listen(&mut self, session: &str) -> Answer {
        let session = in_session(session);
        self.send(&format!(
            "GET /weather/mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{session}\r\n"
        ))
        .await;
        self.head().await
    }

    pub async fn end(&mut self, session: &str) -> Answer {
        let session = in_session(session);
        self.send(&format!("DELETE /weather/mcp HTTP/1.1\r\nHost: localhost\r\n{session}\r\n")).await;
        self.answer().await
    }

    /// The head of the answer.
    pub async fn head(&mut self) -> Answer {
        self.try_head().await.expect("an answer")
    }

    /// The head of the answer; none if the connection closed without one.
    pub async fn try_head(&mut self) -> Option<Answer> {
        let end = loop {
            if let Some(at) = self.heard.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.hear().await?;
        };
        let head = String::from_utf8(self.heard.drain(..end).collect()).expect("a head is text");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        Some(Answer { status, head, body: Vec::new(), whole: false })
    }

    pub async fn answer(&mut self) -> Answer {
        self.try_answer().await.expect("an answer")
    }

    /// A whole answer; none if the connection closed before its head.
    pub async fn try_answer(&mut self) -> Option<Answer> {
        let mut answer = self.try_head().await?;
        let lower = answer.head.to_ascii_lowercase();
        if let Some((_, rest)) = lower.split_once("content-length:") {
            let length: usize = rest.lines().next().expect("a line").trim().parse().expect("a length");
            while self.heard.len() < length && self.hear().await.is_some() {}
            answer.whole = self.heard.len() >= length;
            answer.body = self.heard.drain(..length.min(self.heard.len())).collect();
        } else if lower.contains("transfer-encoding: chunked") {
            while let Some(chunk) = self.chunk().await {
                if chunk.is_empty() {
                    answer.whole = true;
                    break;
                }
                answer.body.extend(chunk);
            }
        }
        Some(answer)
    }

    /// The next chunk of a chunked answer; empty at its proper end, none if the connection ended first.
    pub async fn chunk(&mut self) -> Option<Vec<u8>> {
        let line_end = loop {
            match self.heard.windows(2).position(|two| two == b"\r\n") {
                Some(at) => break at,
                None => self.hear().await?,
            }
        };
        let line: Vec<u8> = self.heard.drain(..line_end + 2).collect();
        let size = usize::from_str_radix(std::str::from_utf8(&line[..line_end]).expect("text"), 16).expect("a size");
        while self.heard.len() < size + 2 {
            self.hear().await?;
        }
        let chunk = self.heard.drain(..size).collect();
        self.heard.drain(..2);
        Some(chunk)
    }

    /// The next chunk if it comes soon; what came of it is kept.
    pub async fn chunk_within(&mut self, time: Duration) -> Option<Vec<u8>> {
        let whole = |heard: &[u8]| {
            let line = heard.windows(2).position(|two| two == b"\r\n")?;
            let size = usize::from_str_radix(std::str::from_utf8(&heard[..line]).expect("text"), 16).expect("a size");
            (heard.len() >= line + size + 4).then_some(())
        };
        let coming = async {
            while whole(&self.heard).is_none() {
                self.hear().await?;
            }
            Some(())
        };
        match tokio::time::timeout(time, coming).await {
            Ok(Some(())) => self.chunk().await,
            Ok(None) => panic!("the connection ended"),
            Err(_) => None,
        }
    }

    /// The next bytes as they came.
    pub async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.heard.len() < count {
            self.hear().await.expect("more bytes");
        }
        self.heard.drain(..count).collect()
    }

    /// Bytes as they come, until they end in `end`.
    pub async fn until(&mut self, end: &str) -> String {
        while !self.heard.ends_with(end.as_bytes()) {
            self.hear().await.expect("more to hear");
        }
        String::from_utf8(std::mem::take(&mut self.heard)).expect("text")
    }

    async fn hear(&mut self) -> Option<()> {
        let mut buffer = [0; 16 * 1024];
        let reading = tokio::time::timeout(PATIENCE, self.stream.read(&mut buffer));
        let read = reading.await.expect("an answer in time").ok()?;
        self.heard.extend_from_slice(&buffer[..read]);
        (read > 0).then_some(())
    }
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn reason(&self) -> String {
        self.json()["error"]["data"]["reason"].as_str().expect("a reason").to_owned()
    }

    pub fn has_header(&self, line: &str) -> bool {
        self.head.lines().any(|header| header.eq_ignore_ascii_case(line))
    }
}

pub fn in_session(id: &str) -> String {
    format!("Mcp-Session-Id: {id}\r\nMCP-Protocol-Version: 2025-11-25\r\n")
}

pub fn post(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}
