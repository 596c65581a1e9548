//! What the agent answers: one decision per request, without a socket.
//!
//! In: method, path, session id and body. Out: a [`Reply`].
//! Invariant: a request of either era gets what its era expects; `initialize` mints a session id.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, Method};
use tokio::sync::watch;

use super::run::Runs;
use crate::echo::answer::{answer, list};
use crate::echo::event::acknowledged;
use crate::echo::request::Request;
use crate::echo::{Era, STREAM_HEADER, TOOL};

/// One answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    Json(String),
    /// A session was opened: its id goes into the head.
    Opened {
        session: String,
        body: String,
    },
    /// Progress events, then the answer.
    Events {
        number: u64,
        count: u32,
        every_ms: u32,
        last: String,
    },
    /// A stream that says nothing.
    Quiet,
    /// A stream that is told events when the generator says so.
    Feed {
        era: Era,
        number: u64,
        /// What it begins with.
        first: Option<String>,
    },
    /// 202 for notifications, 204 for the end of a session.
    Done(u16),
    Unreadable,
    NotFound,
}

/// What open streams are told; a change begins it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Telling {
    pub events: u64,
    pub every_ms: u32,
}

/// One replica: its name, and what it counted.
#[derive(Debug)]
pub struct Replica {
    pub name: String,
    pub runs: Runs,
    pub telling: watch::Sender<Telling>,
    sessions: AtomicU64,
}

impl Replica {
    pub fn new(name: &str) -> Self {
        let telling = watch::Sender::new(Telling::default());
        Self { name: name.to_owned(), runs: Runs::default(), telling, sessions: AtomicU64::new(0) }
    }

    pub fn reply(&self, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Reply {
        match (method, path.trim_end_matches('/')) {
            (&Method::POST, "/mcp") => self.post(body),
            (&Method::GET, "/mcp") => stream(headers),
            (&Method::DELETE, "/mcp") => Reply::Done(204),
            (&Method::GET, "/run") => {
                let executed = self.runs.executed();
                Reply::Json(format!(r#"{{"once":{},"again":{}}}"#, executed.once, executed.again))
            }
            (&Method::PUT, path) => self.told(path).map_or(Reply::NotFound, |()| Reply::Done(204)),
            _ => Reply::NotFound,
        }
    }

    /// What the generator says: `/run/{numbers}` begins a run, `/tell/{events}/{every_ms}` tells open streams.
    fn told(&self, path: &str) -> Option<()> {
        if let Some(numbers) = path.strip_prefix("/run/") {
            self.runs.begin(numbers.parse().ok()?);
        } else {
            let (events, every_ms) = path.strip_prefix("/tell/")?.split_once('/')?;
            self.telling.send_replace(Telling { events: events.parse().ok()?, every_ms: every_ms.parse().ok()? });
        }
        Some(())
    }

    fn post(&self, body: &[u8]) -> Reply {
        let Ok(request) = serde_json::from_slice::<Request<'_>>(body) else { return Reply::Unreadable };
        let Some(id) = request.id.map(serde_json::value::RawValue::get) else { return Reply::Done(202) };
        match request.method.as_ref() {
            "tools/call" => self.call(id, &request),
            "initialize" => self.initialize(id),
            "server/discover" => Reply::Json(self.discover(id)),
            "tools/list" => Reply::Json(self.list(id, &request)),
            "subscriptions/listen" => match request.params.meta.number {
                Some(number) => Reply::Feed { era: Era::Modern, number, first: Some(acknowledged(number)) },
                None => Reply::Unreadable,
            },
            "ping" => Reply::Json(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)),
            _ => Reply::Json(format!(
                r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"method not found"}}}}"#
            )),
        }
    }

    fn call(&self, id: &str, request: &Request<'_>) -> Reply {
        let arguments = &request.params.arguments;
        let Some(number) = arguments.number else { return Reply::Unreadable };
        self.runs.execute(number);
        let last = answer(id, number, &self.name, arguments.heard(), arguments.reply_bytes);
        match arguments.events {
            0 => Reply::Json(last),
            count => Reply::Events { number, count, every_ms: arguments.every_ms, last },
        }
    }

    /// The long list where a number asks for it; the agent's own otherwise.
    fn list(&self, id: &str, request: &Request<'_>) -> String {
        let meta = &request.params.meta;
        let Some(number) = meta.number else { return own_tools(id) };
        self.runs.execute(number);
        list(id, number, &self.name, meta.tools)
    }

    fn initialize(&self, id: &str) -> Reply {
        let count = self.sessions.fetch_add(1, Ordering::Relaxed);
        let session = format!("{}-{count}-{:016x}", self.name, fastrand::u64(..));
        let name = &self.name;
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"protocolVersion":"2025-11-25","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"{name}","version":"1.0.0"}}}}}}"#
        );
        Reply::Opened { session, body }
    }

    fn discover(&self, id: &str) -> String {
        let name = &self.name;
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"complete","supportedVersions":["2025-11-25","2026-07-28"],"capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"{name}","version":"1.0.0"}},"ttlMs":60000,"cacheScope":"public"}}}}"#
        )
    }
}

fn stream(headers: &HeaderMap) -> Reply {
    let number = headers.get(STREAM_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
    number.map_or(Reply::Quiet, |number| Reply::Feed { era: Era::Legacy, number, first: None })
}

fn own_tools(id: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"complete","tools":[{{"name":"{TOOL}","description":"says the number again","inputSchema":{{"type":"object","properties":{{"number":{{"type":"integer"}}}},"required":["number"]}},"annotations":{{"readOnlyHint":true}}}}],"ttlMs":60000,"cacheScope":"public"}}}}"#
    )
}

#[cfg(test)]
mod tests;
