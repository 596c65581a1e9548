//! An echo agent that writes down every call before it works on it, so that what it executed is known after its death.
//!
//! In: a name, a file, how long a call takes, what its tool says of itself. Out: an MCP server on loopback.
//! The file holds the number of each executed call, eight bytes each; the kernel keeps them when the process is killed.
//! Invariant: a number is in the file before anything of its answer is sent.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::agent::reply::{Replica, Reply};
use crate::echo::request::Request as Asked;
use crate::echo::{self, TOOL};

const BODY_MAX: usize = 1024 * 1024;

/// What a witness is told when it starts.
#[derive(Debug, Clone)]
pub struct Options {
    pub name: String,
    pub log: PathBuf,
    /// From when a call is executed to when it is answered.
    pub delay: Duration,
    /// What its tool says of itself: whether it may be called twice without harm.
    pub is_idempotent: bool,
}

struct Witness {
    options: Options,
    replica: Replica,
    log: File,
}

/// Listens, and says where through `told`; serves for as long as it is polled.
pub async fn serve(port: u16, options: Options, told: impl FnOnce(SocketAddr) -> io::Result<()>) -> io::Result<()> {
    let log = OpenOptions::new().create(true).append(true).open(&options.log)?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    told(listener.local_addr()?)?;
    let witness = Arc::new(Witness { replica: Replica::new(&options.name), options, log });
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(converse(stream, Arc::clone(&witness)));
    }
}

async fn converse(stream: TcpStream, witness: Arc<Witness>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(|request| answer(request, Arc::clone(&witness)));
    // A caller that goes away is none of the witness's concern.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, witness: Arc<Witness>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_MAX).collect().await else { return Ok(plain(413)) };
    let body = body.to_bytes();
    let asked = match head.method {
        Method::POST => serde_json::from_slice::<Asked<'_>>(&body).ok(),
        _ => None,
    };
    let reply = match asked {
        Some(request) if request.method == "tools/call" => {
            let Some(number) = request.params.arguments.number else { return Ok(plain(400)) };
            if witness.write_down(number).is_err() {
                return Ok(plain(500));
            }
            tokio::time::sleep(witness.options.delay).await;
            witness.replica.reply(&head.method, head.uri.path(), &head.headers, &body)
        }
        Some(request) if request.method == "tools/list" => {
            let id = request.id.map_or("null", serde_json::value::RawValue::get);
            Reply::Json(tools(id, witness.options.is_idempotent))
        }
        _ => witness.replica.reply(&head.method, head.uri.path(), &head.headers, &body),
    };
    Ok(match reply {
        Reply::Json(body) => json(body),
        Reply::Opened { session, body } => {
            let mut response = json(body);
            if let Ok(value) = HeaderValue::from_str(&session) {
                response.headers_mut().insert(echo::SESSION_HEADER, value);
            }
            response
        }
        Reply::Done(status) => plain(status),
        Reply::Unreadable => plain(400),
        // It has no streams, and says so as the protocol wants it.
        Reply::Events { .. } | Reply::Feed { .. } | Reply::Quiet => plain(405),
        Reply::NotFound => plain(404),
    })
}

impl Witness {
    fn write_down(&self, number: u64) -> io::Result<()> {
        // One write, which the kernel appends whole.
        (&self.log).write_all(&number.to_le_bytes())
    }
}

fn tools(id: &str, is_idempotent: bool) -> String {
    let hints = format!(
        r#"{{"readOnlyHint":{is_idempotent},"idempotentHint":{is_idempotent},"destructiveHint":{}}}"#,
        !is_idempotent
    );
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"complete","tools":[{{"name":"{TOOL}","description":"says the number again","inputSchema":{{"type":"object","properties":{{"number":{{"type":"integer"}}}},"required":["number"]}},"annotations":{hints}}}],"ttlMs":60000,"cacheScope":"public"}}}}"#
    )
}

fn json(body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn plain(status: u16) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// What several witnesses wrote down: how often each number was executed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Testimony(BTreeMap<u64, u32>);

impl Testimony {
    pub fn read(logs: &[PathBuf]) -> io::Result<Self> {
        let mut testimony = Self::default();
        for log in logs {
            testimony.add(log)?;
        }
        Ok(testimony)
    }

    fn add(&mut self, log: &Path) -> io::Result<()> {
        for number in std::fs::read(log)?.as_chunks::<8>().0 {
            *self.0.entry(u64::from_le_bytes(*number)).or_default() += 1;
        }
        Ok(())
    }

    /// Numbers that were executed at all.
    pub fn executed(&self) -> usize {
        self.0.len()
    }

    /// Numbers that were executed more than once, on whichever replicas.
    pub fn twice(&self) -> usize {
        self.0.values().filter(|times| **times > 1).count()
    }

    pub fn has(&self, number: u64) -> bool {
        self.0.contains_key(&number)
    }
}

#[cfg(test)]
mod tests;
