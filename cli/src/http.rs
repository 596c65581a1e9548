//! A small HTTP client: one connection per request, every step with a limit.
//!
//! In: an origin and a request. Out: the answer, or an error that says how far it got.
//! Never here: TLS (control's JSON, health and the outbound listener are loopback), redirects, pools.
//! Invariant: no wait and no body without a bound.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// How long an operator's question may take.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Largest JSON answer that is read; ten thousand agents are a few megabytes.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// `host:port`, with or without `http://` in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    host: String,
    port: u16,
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an address such as 127.0.0.1:8000")]
pub struct BadOrigin(String);

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("nothing answers on {origin}")]
    Connect {
        origin: Origin,
        #[source]
        cause: std::io::Error,
    },
    #[error("{origin} did not answer within {} s", after.as_secs())]
    Slow { origin: Origin, after: Duration },
    #[error("the connection to {origin} broke")]
    Broken {
        origin: Origin,
        #[source]
        cause: hyper::Error,
    },
    #[error("{origin} gave an answer that cannot be read")]
    Body {
        origin: Origin,
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("{origin} gave an answer that is not JSON; is something else listening there?")]
    NotJson {
        origin: Origin,
        #[source]
        cause: serde_json::Error,
    },
    #[error("{origin} answered {status}: {detail}")]
    Status {
        origin: Origin,
        status: StatusCode,
        detail: String,
        hint: Option<String>,
        /// All that it says of itself.
        problem: Box<Value>,
    },
    #[error("a request could not be made of what was given")]
    Request(#[from] http::Error),
}

/// Sends one request and gives the answer as soon as its head is there.
pub async fn send(
    origin: &Origin,
    mut request: Request<Full<Bytes>>,
    head_within: Duration,
) -> Result<Response<Incoming>, HttpError> {
    let connect = tokio::net::TcpStream::connect((origin.host.as_str(), origin.port));
    let stream = tokio::time::timeout(CONNECT_WITHIN, connect)
        .await
        .map_err(|_| HttpError::Slow { origin: origin.clone(), after: CONNECT_WITHIN })?
        .map_err(|cause| HttpError::Connect { origin: origin.clone(), cause })?;
    let broken = |cause| HttpError::Broken { origin: origin.clone(), cause };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Ends with the answer's body, or when the answer is dropped.
    tokio::spawn(connection);
    let host = HeaderValue::try_from(origin.authority()).map_err(http::Error::from)?;
    request.headers_mut().insert(header::HOST, host);
    let answer = tokio::time::timeout(head_within, sender.send_request(request)).await;
    answer.map_err(|_| HttpError::Slow { origin: origin.clone(), after: head_within })?.map_err(broken)
}

/// Reads a whole body, up to [`ANSWER_BYTES_MAX`].
pub async fn read(origin: &Origin, body: Incoming) -> Result<Bytes, HttpError> {
    let slow = || HttpError::Slow { origin: origin.clone(), after: ANSWER_WITHIN };
    let whole = tokio::time::timeout(ANSWER_WITHIN, Limited::new(body, ANSWER_BYTES_MAX).collect());
    let whole = whole.await.map_err(|_| slow())?;
    Ok(whole.map_err(|cause| HttpError::Body { origin: origin.clone(), cause })?.to_bytes())
}

/// Asks for JSON; an error answer becomes [`HttpError::Status`] with what it says of itself.
pub async fn get_json(origin: &Origin, path_and_query: &str) -> Result<Value, HttpError> {
    let request = Request::get(path_and_query).header(header::ACCEPT, "application/json").body(Full::default())?;
    json(origin, request).await
}

/// Sends JSON and asks for JSON.
pub async fn post_json(origin: &Origin, path: &str, body: &Value) -> Result<Value, HttpError> {
    let request = Request::post(path)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::from(body.to_string()))?;
    json(origin, request).await
}

/// The same, to be done only if what is changed is what its sender saw.
pub async fn post_json_if(origin: &Origin, path: &str, body: &Value, matches: &str) -> Result<Value, HttpError> {
    let request = Request::post(path)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::IF_MATCH, matches)
        .body(Full::from(body.to_string()))?;
    json(origin, request).await
}

async fn json(origin: &Origin, request: Request<Full<Bytes>>) -> Result<Value, HttpError> {
    let answer = send(origin, request, ANSWER_WITHIN).await?;
    let status = answer.status();
    let body = read(origin, answer.into_body()).await?;
    let parsed: Result<Value, _> = serde_json::from_slice(&body);
    if status.is_success() {
        return parsed.map_err(|cause| HttpError::NotJson { origin: origin.clone(), cause });
    }
    let problem = parsed.unwrap_or_default();
    let text = |name: &str| problem.get(name).and_then(Value::as_str).map(str::to_owned);
    let detail = text("detail").or_else(|| text("title")).unwrap_or_else(|| "no reason given".to_owned());
    let hint = text("hint");
    Err(HttpError::Status { origin: origin.clone(), status, detail, hint, problem: Box::new(problem) })
}

impl Origin {
    pub fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        let bad = || BadOrigin(text.to_owned());
        let bare = text.strip_prefix("http://").unwrap_or(text);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        let (host, port) = bare.rsplit_once(':').ok_or_else(bad)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'%');
        if host.is_empty() || !host.bytes().all(fits) {
            return Err(bad());
        }
        Ok(Self { host: host.to_owned(), port: port.parse().map_err(|_| bad())? })
    }
}

impl From<std::net::SocketAddr> for Origin {
    fn from(address: std::net::SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "http://{}", self.authority())
    }
}

#[cfg(test)]
mod tests;
