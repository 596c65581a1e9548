//! Plain HTTP/1.1 to loopback: one request, one reply, nothing clever.
//!
//! In: method, URL, headers, body. Out: a [`Reply`] with the whole body, or a [`Stream`] that is read piece by piece.
//! Never here: MCP.
//! Invariant: every request has a deadline.

use std::time::Duration;

use ::http::{HeaderMap, Method, Request, StatusCode, Uri};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const REPLY_WITHIN: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_str(&self.body).with_context(|| format!("{}: not JSON: {}", self.status, self.body))
    }
}

/// A reply whose body is still coming.
pub struct Stream {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Incoming,
}

impl Stream {
    /// The next piece of the body; nothing when it has ended.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            match tokio::time::timeout(REPLY_WITHIN, self.body.frame()).await.context("no more of the body")? {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

pub async fn send(method: Method, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Result<Reply> {
    let stream = open(method, url, headers, body).await?;
    let (status, headers) = (stream.status, stream.headers);
    let body = tokio::time::timeout(REPLY_WITHIN, stream.body.collect()).await.context("the body does not end")??;
    Ok(Reply { status, headers, body: String::from_utf8_lossy(&body.to_bytes()).into_owned() })
}

pub async fn get(url: &str) -> Result<Reply> {
    send(Method::GET, url, &[], Bytes::new()).await
}

/// Sends on a connection of its own and hands back the reply as soon as its head is there.
pub async fn open(method: Method, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Result<Stream> {
    let uri: Uri = url.parse()?;
    let authority = uri.authority().with_context(|| format!("{url}: no authority"))?.to_string();
    let stream = TcpStream::connect(&authority).await.with_context(|| format!("connect to {authority}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(uri.path_and_query().map_or("/", |path| path.as_str()));
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request = request.header("host", authority);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let sent = sender.send_request(request.body(Full::new(body.into()))?);
    let reply = tokio::time::timeout(REPLY_WITHIN, sent).await.with_context(|| format!("{url}: no reply"))??;
    let (head, body) = reply.into_parts();
    Ok(Stream { status: head.status, headers: head.headers, body })
}

/// Writes bytes as they are and reads to the end, for requests that no client library would make.
pub async fn raw(address: &str, request: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut reply = Vec::new();
    match tokio::time::timeout(REPLY_WITHIN, stream.read_to_end(&mut reply)).await {
        Ok(_) => Ok(String::from_utf8_lossy(&reply).into_owned()),
        Err(_) => bail!("{address}: the connection stays open after {}", String::from_utf8_lossy(&reply)),
    }
}
