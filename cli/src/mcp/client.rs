//! One conversation with one route of the mesh.
//!
//! In: requests. Out: their results, with progress on the way.
//! First the handshake of 2025-11-25; a server that has none of it is asked as 2026-07-28 wants it.
//! Invariant: nothing is sent twice; a call that was sent and not answered is an error that says it may have run.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::http::{HttpError, Origin, read, send};
use crate::mcp::events::{EventError, Events};
use crate::mcp::message::{LEGACY, MODERN, RpcError, answer, initialize, initialized, request};

const SESSION: &str = "mcp-session-id";
const REVISION: &str = "mcp-protocol-version";
const GOODBYE_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum McpError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("{}", refused(error))]
    Refused { status: StatusCode, error: RpcError },
    #[error("the answer was HTTP {0} without an MCP message")]
    Bare(StatusCode),
    #[error("the answer did not come within {} s; the call may have run", .0.as_secs())]
    Late(Duration),
    #[error("the answer ended before it was complete; the call may have run")]
    Cut,
    #[error("the answer cannot be read")]
    Event(#[from] EventError),
}

/// How the other side wants to be spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Manner {
    /// `initialize` came first; the session id is there if the server minted one.
    Legacy { session: Option<HeaderValue>, revision: Option<HeaderValue> },
    /// Every request stands alone.
    Modern,
}

/// A client of one route.
pub struct Client {
    origin: Origin,
    path: String,
    manner: Manner,
    within: Duration,
    sent: u64,
}

impl Client {
    /// Opens a conversation: a session, if the server has sessions.
    pub async fn open(origin: Origin, route: &str, within: Duration) -> Result<Self, McpError> {
        let manner = Manner::Legacy { session: None, revision: None };
        let mut client = Self { origin, path: format!("/{route}/mcp"), manner, within, sent: 1 };
        let deadline = Instant::now() + within;
        let response = client.post(&initialize(1), None, deadline).await?;
        let session = response.headers().get(SESSION).cloned();
        match client.wait(response, 1, deadline, &mut |_| {}).await {
            Ok(result) => {
                let revision = result.get("protocolVersion").and_then(Value::as_str).unwrap_or(LEGACY);
                client.manner = Manner::Legacy { session, revision: HeaderValue::from_str(revision).ok() };
                client.post(&initialized(), None, deadline).await?;
            }
            Err(error) if knows_no_initialize(&error) => client.manner = Manner::Modern,
            Err(error) => return Err(error),
        }
        Ok(client)
    }

    /// Goes on with a session that was opened before.
    pub fn resume(origin: Origin, route: &str, session: HeaderValue, within: Duration) -> Self {
        // Which revision was agreed on is not known here; the server knows it by the session, so the header may be absent.
        let manner = Manner::Legacy { session: Some(session), revision: None };
        // Ids are unique within a session, and an earlier command has used the low ones.
        let sent = u64::from(fastrand::u32(1_000..));
        Self { origin, path: format!("/{route}/mcp"), manner, within, sent }
    }

    /// The session that the server minted, if it did.
    pub fn session(&self) -> Option<&str> {
        match &self.manner {
            Manner::Legacy { session: Some(session), .. } => session.to_str().ok(),
            Manner::Legacy { session: None, .. } | Manner::Modern => None,
        }
    }

    pub async fn tools(&mut self) -> Result<Value, McpError> {
        self.ask("tools/list", None, Map::new(), &mut |_| {}).await
    }

    /// Calls a tool; messages that come before its answer go to `on_note`.
    pub async fn call(
        &mut self,
        tool: &str,
        arguments: Map<String, Value>,
        on_note: &mut impl FnMut(&Value),
    ) -> Result<Value, McpError> {
        let params = Map::from_iter([("name".to_owned(), tool.into()), ("arguments".to_owned(), arguments.into())]);
        self.ask("tools/call", Some(tool), params, on_note).await
    }

    /// Ends the session, if there is one. A server that is gone has ended it too.
    pub async fn close(self) {
        if let Manner::Legacy { session: Some(_), .. } = &self.manner {
            let request = self.dressed(Request::delete(&self.path), None).body(Full::default());
            if let Ok(request) = request {
                let _ = send(&self.origin, request, GOODBYE_WITHIN).await;
            }
        }
    }

    async fn ask(
        &mut self,
        method: &str,
        name: Option<&str>,
        params: Map<String, Value>,
        on_note: &mut impl FnMut(&Value),
    ) -> Result<Value, McpError> {
        self.sent += 1;
        let (id, deadline) = (self.sent, Instant::now() + self.within);
        let message = request(id, method, params, self.manner == Manner::Modern);
        let response = self.post(&message, Some((method, name)), deadline).await?;
        self.wait(response, id, deadline, on_note).await
    }

    async fn post(
        &self,
        message: &Value,
        routing: Option<(&str, Option<&str>)>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, McpError> {
        let request = self
            .dressed(Request::post(&self.path), routing)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(message.to_string())))
            .map_err(HttpError::Request)?;
        let left = deadline.saturating_duration_since(Instant::now());
        send(&self.origin, request, left).await.map_err(|error| match error {
            HttpError::Slow { after, .. } if after == left => McpError::Late(self.within),
            other => McpError::Http(other),
        })
    }

    /// Puts the headers on that every request of this conversation carries.
    fn dressed(
        &self,
        request: http::request::Builder,
        routing: Option<(&str, Option<&str>)>,
    ) -> http::request::Builder {
        let request = request.header(header::ACCEPT, "application/json, text/event-stream");
        match &self.manner {
            Manner::Legacy { session, revision } => {
                let request = session.iter().fold(request, |request, session| request.header(SESSION, session));
                revision.iter().fold(request, |request, revision| request.header(REVISION, revision))
            }
            Manner::Modern => {
                let request = request.header(REVISION, MODERN);
                let Some((method, name)) = routing else { return request };
                let request = request.header("mcp-method", method);
                name.into_iter().fold(request, |request, name| request.header("mcp-name", name))
            }
        }
    }

    async fn wait(
        &self,
        response: Response<Incoming>,
        id: u64,
        deadline: Instant,
        on_note: &mut impl FnMut(&Value),
    ) -> Result<Value, McpError> {
        let status = response.status();
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let refused = |error| McpError::Refused { status, error };
        if kind.starts_with("text/event-stream") {
            let stream = stream(response.into_body(), id, on_note);
            let answer = tokio::time::timeout_at(deadline, stream).await.map_err(|_| McpError::Late(self.within))??;
            return answer.map_err(refused);
        }
        let body = tokio::time::timeout_at(deadline, read(&self.origin, response.into_body()));
        let body = body.await.map_err(|_| McpError::Late(self.within))??;
        let message: Value = serde_json::from_slice(&body).map_err(|_| McpError::Bare(status))?;
        answer(&message, id).ok_or(McpError::Bare(status))?.map_err(refused)
    }
}

/// Reads events until the answer to `id` has come.
async fn stream(
    mut body: Incoming,
    id: u64,
    on_note: &mut impl FnMut(&Value),
) -> Result<Result<Value, RpcError>, McpError> {
    let mut events = Events::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| McpError::Cut)?;
        let Some(data) = frame.data_ref() else { continue };
        for message in events.take(data)? {
            match answer(&message, id) {
                Some(answer) => return Ok(answer),
                None => on_note(&message),
            }
        }
    }
    Err(McpError::Cut)
}

/// Whether the server answered `initialize` as one of 2026-07-28 and later does: with an error of its own.
fn knows_no_initialize(error: &McpError) -> bool {
    let protocol = |status: &StatusCode| matches!(status.as_u16(), 200 | 400 | 404 | 405);
    match error {
        McpError::Refused { status, error } => error.reason.is_none() && protocol(status),
        _ => false,
    }
}

fn refused(error: &RpcError) -> String {
    match (&error.reason, &error.detail) {
        (Some(reason), Some(detail)) if *detail != error.message => format!("{} ({reason}): {detail}", error.message),
        (Some(reason), _) => format!("{} ({reason})", error.message),
        (None, _) => format!("{} (code {})", error.message, error.code),
    }
}

#[cfg(test)]
mod tests;
