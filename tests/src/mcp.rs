//! MCP by hand, for what no SDK would do: odd bodies, sessions of others, statuses looked at one by one.
//!
//! In: a URL. Out: replies as they came.
//! Never here: recovery; what goes wrong is the test's to see.
//! Invariant: a [`Session`] sends exactly what is asked of it, once.

use ::http::{Method, StatusCode};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::http::{self, Reply};

pub const LEGACY: &str = "2025-06-18";
pub const MODERN: &str = "2026-07-28";
const ACCEPT: (&str, &str) = ("accept", "application/json, text/event-stream");
const JSON: (&str, &str) = ("content-type", "application/json");

/// A session of a revision that has them.
#[derive(Clone)]
pub struct Session {
    pub url: String,
    pub id: String,
    pub revision: String,
}

impl Session {
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_as(url, LEGACY).await
    }

    pub async fn open_as(url: &str, revision: &str) -> Result<Self> {
        Self::begin(url, revision, initialize(url, revision).await?).await
    }

    /// Opens one of a client that can do what it says.
    pub async fn open_able(url: &str, capabilities: Value) -> Result<Self> {
        Self::begin(url, LEGACY, initialize_able(url, LEGACY, capabilities).await?).await
    }

    async fn begin(url: &str, revision: &str, reply: Reply) -> Result<Self> {
        ensure!(reply.status == StatusCode::OK, "initialize: {} {}", reply.status, reply.body);
        let id = reply.header("mcp-session-id").context("no session id in the answer to initialize")?.to_owned();
        let session = Self { url: url.to_owned(), id, revision: revision.to_owned() };
        let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let noted = session.post(note.to_string()).await?;
        ensure!(noted.status.is_success(), "initialized: {} {}", noted.status, noted.body);
        Ok(session)
    }

    /// The same session through another proxy.
    pub fn through(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    pub async fn post(&self, body: String) -> Result<Reply> {
        http::send(Method::POST, &self.url, &self.headers(), body).await
    }

    /// What each of its messages carries.
    pub fn headers(&self) -> [(&str, &str); 4] {
        [ACCEPT, JSON, ("mcp-session-id", &self.id), ("mcp-protocol-version", &self.revision)]
    }

    /// The reply to a tool call, whatever it is.
    pub async fn try_call(&self, tool: &str) -> Result<Reply> {
        self.post(tool_call(7, tool).to_string()).await
    }

    /// The text a tool answered with; anything else is an error.
    pub async fn call(&self, tool: &str) -> Result<String> {
        text_of(&self.try_call(tool).await?)
    }

    /// The head of the reply to a tool call; what follows is for the caller to read.
    pub async fn open_call(&self, tool: &str, arguments: &Value) -> Result<http::Stream> {
        http::open(Method::POST, &self.url, &self.headers(), tool_call_with(7, tool, arguments).to_string()).await
    }

    pub async fn listen(&self) -> Result<http::Stream> {
        self.resume(None).await
    }

    /// Listens for what came after an event.
    pub async fn resume(&self, last_event: Option<&str>) -> Result<http::Stream> {
        let mut headers = vec![
            ("accept", "text/event-stream"),
            ("mcp-session-id", &self.id),
            ("mcp-protocol-version", &self.revision),
        ];
        headers.extend(last_event.map(|id| ("last-event-id", id)));
        http::open(Method::GET, &self.url, &headers, "").await
    }

    pub async fn delete(&self) -> Result<Reply> {
        let headers = [("mcp-session-id", self.id.as_str()), ("mcp-protocol-version", &self.revision)];
        http::send(Method::DELETE, &self.url, &headers, "").await
    }
}

pub async fn initialize(url: &str, revision: &str) -> Result<Reply> {
    initialize_able(url, revision, json!({})).await
}

async fn initialize_able(url: &str, revision: &str, capabilities: Value) -> Result<Reply> {
    let who = json!({"name": "mesh-test", "version": "1.0.0"});
    let params = json!({"protocolVersion": revision, "capabilities": capabilities, "clientInfo": who});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    http::send(Method::POST, url, &[ACCEPT, JSON], body.to_string()).await
}

/// A body sent as it is, without a session.
pub async fn post(url: &str, headers: &[(&str, &str)], body: &str) -> Result<Reply> {
    let headers = [&[ACCEPT, JSON], headers].concat();
    http::send(Method::POST, url, &headers, body.to_owned()).await
}

/// A request of the revision without sessions, which says all of itself in each message.
pub struct Modern<'a> {
    pub method: &'a str,
    /// What it is about: a tool, a task.
    pub name: &'a str,
    pub params: Value,
    /// What the client can do.
    pub capabilities: Value,
}

impl Modern<'_> {
    pub fn headers(&self) -> [(&str, &str); 5] {
        [ACCEPT, JSON, ("mcp-protocol-version", MODERN), ("mcp-method", self.method), ("mcp-name", self.name)]
    }

    pub fn body(&self) -> String {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": self.capabilities,
            "io.modelcontextprotocol/clientInfo": {"name": "mesh-test", "version": "1.0.0"},
        });
        let mut params = self.params.clone();
        if let Some(params) = params.as_object_mut() {
            params.insert("_meta".to_owned(), meta);
        }
        json!({"jsonrpc": "2.0", "id": 7, "method": self.method, "params": params}).to_string()
    }
}

/// A tool call of the revision without sessions.
pub async fn modern_call(url: &str, tool: &str) -> Result<Reply> {
    let params = json!({"name": tool, "arguments": {}});
    let call = Modern { method: "tools/call", name: tool, params, capabilities: json!({}) };
    http::send(Method::POST, url, &call.headers(), call.body()).await
}

pub fn tool_call(id: u64, tool: &str) -> Value {
    tool_call_with(id, tool, &json!({}))
}

pub fn tool_call_with(id: u64, tool: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

/// The message of a reply, be it JSON or the last event of a stream.
pub fn message_of(reply: &Reply) -> Result<Value> {
    let is_stream = reply.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
    if !is_stream {
        return reply.json();
    }
    let mut events = reply.body.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    let last = events.rfind(|data| !data.is_empty());
    let last = last.with_context(|| format!("no event in {}", reply.body))?;
    serde_json::from_str(last).with_context(|| format!("not JSON: {last}"))
}

pub fn text_of(reply: &Reply) -> Result<String> {
    let message = message_of(reply)?;
    let text = message.pointer("/result/content/0/text").and_then(Value::as_str);
    Ok(text.with_context(|| format!("{}: no text in {message}", reply.status))?.to_owned())
}

/// Why the mesh said no: `error.data.reason`.
pub fn reason_of(reply: &Reply) -> Result<String> {
    let message = message_of(reply)?;
    let reason = message.pointer("/error/data/reason").and_then(Value::as_str);
    Ok(reason.with_context(|| format!("{}: no reason in {message}", reply.status))?.to_owned())
}
