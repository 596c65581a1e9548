//! Plain HTTP/1.1 to loopback: one request, one reply, nothing clever.
//!
//! In: method, URL, headers, body. Out: a [`Reply`] with the whole body, or a [`Stream`] that is read piece by piece.
//! Each request has a connection of its own, or they follow one another on a [`Kept`] one.
//! Never here: MCP.
//! Invariant: every request has a deadline.

use std::time::Duration;

use ::http::{HeaderMap, Method, Request, StatusCode, Uri};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
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

/// What a stream of events has brought so far, one event after the other.
pub struct Events {
    pub stream: Stream,
    heard: String,
}

/// One event of a stream: its id, if it has one, and its data.
#[derive(Debug, Default)]
pub struct Event {
    pub id: Option<String>,
    pub data: String,
}

impl Events {
    pub fn of(stream: Stream) -> Self {
        Self { stream, heard: String::new() }
    }

    /// The next event; nothing when the stream has ended.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some((event, rest)) = self.heard.split_once("\n\n") {
                let mut read = Event::default();
                for line in event.lines() {
                    match line.split_once(':').map(|(field, value)| (field, value.trim())) {
                        Some(("id", id)) => read.id = Some(id.to_owned()),
                        Some(("data", data)) => read.data.push_str(data),
                        _ => {}
                    }
                }
                self.heard = rest.to_owned();
                return Ok(Some(read));
            }
            match self.stream.next().await? {
                Some(piece) => self.heard.push_str(&String::from_utf8_lossy(&piece).replace('\r', "")),
                None => return Ok(None),
            }
        }
    }

    /// The next event whose data has these words.
    pub async fn says(&mut self, words: &str) -> Result<Event> {
        while let Some(event) = self.next().await? {
            if event.data.contains(words) {
                return Ok(event);
            }
        }
        bail!("the stream ends without `{words}`")
    }
}

pub async fn send(method: Method, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Result<Reply> {
    whole(open(method, url, headers, body).await?).await
}

pub async fn get(url: &str) -> Result<Reply> {
    send(Method::GET, url, &[], Bytes::new()).await
}

/// Sends on a connection of its own and hands back the reply as soon as its head is there.
pub async fn open(method: Method, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Result<Stream> {
    let uri: Uri = url.parse()?;
    let mut sender = connect(&authority(&uri)?).await?;
    exchange(&mut sender, request(method, &uri, headers, body.into())?).await
}

/// One connection for one request after the other; where the other side has closed it, the next request opens it anew.
#[derive(Default)]
pub struct Kept {
    /// With whom it is.
    with: Option<(String, SendRequest<Full<Bytes>>)>,
}

impl Kept {
    pub async fn send(
        &mut self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Reply> {
        let uri: Uri = url.parse()?;
        let wanted = authority(&uri)?;
        let request = request(method, &uri, headers, body.into())?;
        let mut sender = match self.open_to(&wanted).await {
            Some(sender) => sender,
            None => connect(&wanted).await?,
        };
        let reply = whole(exchange(&mut sender, request).await?).await?;
        self.with = Some((wanted, sender));
        Ok(reply)
    }

    /// The connection of the request before, if it is with the same and open still.
    async fn open_to(&mut self, wanted: &str) -> Option<SendRequest<Full<Bytes>>> {
        let (with, mut sender) = self.with.take()?;
        (with == wanted && sender.ready().await.is_ok()).then_some(sender)
    }
}

fn authority(uri: &Uri) -> Result<String> {
    Ok(uri.authority().with_context(|| format!("{uri}: no authority"))?.to_string())
}

async fn connect(authority: &str) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(authority).await.with_context(|| format!("connect to {authority}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

fn request(method: Method, uri: &Uri, headers: &[(&str, &str)], body: Bytes) -> Result<Request<Full<Bytes>>> {
    let mut request = Request::builder().method(method).uri(uri.path_and_query().map_or("/", |path| path.as_str()));
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request = request.header("host", authority(uri)?);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Ok(request.body(Full::new(body))?)
}

async fn exchange(sender: &mut SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Result<Stream> {
    let sent = sender.send_request(request);
    let (head, body) = tokio::time::timeout(REPLY_WITHIN, sent).await.context("no reply")??.into_parts();
    Ok(Stream { status: head.status, headers: head.headers, body })
}

async fn whole(stream: Stream) -> Result<Reply> {
    let (status, headers) = (stream.status, stream.headers);
    let body = tokio::time::timeout(REPLY_WITHIN, stream.body.collect()).await.context("the body does not end")??;
    Ok(Reply { status, headers, body: String::from_utf8_lossy(&body.to_bytes()).into_owned() })
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
