//! What the agent answers: one decision per request, without a socket.
//!
//! In: method, path, session id and body. Out: a [`Reply`].
//! Invariant: a request of either era gets what its era expects; `initialize` mints a session id.

use std::sync::atomic::{AtomicU64, Ordering};

use http::Method;

use super::run::Runs;
use crate::echo::{Request, TOOL, answer};

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
    /// 202 for notifications, 204 for the end of a session.
    Done(u16),
    Unreadable,
    NotFound,
}

/// One replica: its name, and what it counted.
#[derive(Debug)]
pub struct Replica {
    pub name: String,
    pub runs: Runs,
    sessions: AtomicU64,
}

impl Replica {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), runs: Runs::default(), sessions: AtomicU64::new(0) }
    }

    pub fn reply(&self, method: &Method, path: &str, body: &[u8]) -> Reply {
        match (method, path.trim_end_matches('/')) {
            (&Method::POST, "/mcp") => self.post(body),
            (&Method::GET, "/mcp") => Reply::Quiet,
            (&Method::DELETE, "/mcp") => Reply::Done(204),
            (&Method::GET, "/run") => {
                let executed = self.runs.executed();
                Reply::Json(format!(r#"{{"once":{},"again":{}}}"#, executed.once, executed.again))
            }
            (&Method::PUT, path) => match path.strip_prefix("/run/").and_then(|text| text.parse().ok()) {
                Some(numbers) => {
                    self.runs.begin(numbers);
                    Reply::Done(204)
                }
                None => Reply::NotFound,
            },
            _ => Reply::NotFound,
        }
    }

    fn post(&self, body: &[u8]) -> Reply {
        let Ok(request) = serde_json::from_slice::<Request<'_>>(body) else { return Reply::Unreadable };
        let Some(id) = request.id.map(serde_json::value::RawValue::get) else { return Reply::Done(202) };
        match request.method.as_ref() {
            "tools/call" => self.call(id, &request),
            "initialize" => self.initialize(id),
            "server/discover" => Reply::Json(self.discover(id)),
            "tools/list" => Reply::Json(tools(id)),
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
        let last = answer(id, number, &self.name);
        match arguments.events {
            0 => Reply::Json(last),
            count => Reply::Events { number, count, every_ms: arguments.every_ms, last },
        }
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

fn tools(id: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"complete","tools":[{{"name":"{TOOL}","description":"says the number again","inputSchema":{{"type":"object","properties":{{"number":{{"type":"integer"}}}},"required":["number"]}},"annotations":{{"readOnlyHint":true}}}}],"ttlMs":60000,"cacheScope":"public"}}}}"#
    )
}

#[cfg(test)]
mod tests;
