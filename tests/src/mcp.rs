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
        let reply = initialize(url, revision).await?;
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
        let headers = [ACCEPT, JSON, ("mcp-session-id", &self.id), ("mcp-protocol-version", &self.revision)];
        http::send(Method::POST, &self.url, &headers, body).await
    }

    /// The reply to a tool call, whatever it is.
    pub async fn try_call(&self, tool: &str) -> Result<Reply> {
        self.post(tool_call(7, tool).to_string()).await
    }

    /// The text a tool answered with; anything else is an error.
    pub async fn call(&self, tool: &str) -> Result<String> {
        text_of(&self.try_call(tool).await?)
    }

    pub async fn listen(&self) -> Result<http::Stream> {
        let headers =
            [("accept", "text/event-stream"), ("mcp-session-id", &self.id), ("mcp-protocol-version", &self.revision)];
        http::open(Method::GET, &self.url, &headers, "").await
    }

    pub async fn delete(&self) -> Result<Reply> {
        let headers = [("mcp-session-id", self.id.as_str()), ("mcp-protocol-version", &self.revision)];
        http::send(Method::DELETE, &self.url, &headers, "").await
    }
}

pub async fn initialize(url: &str, revision: &str) -> Result<Reply> {
    let who = json!({"name": "mesh-test", "version": "1.0.0"});
    let params = json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": who});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    http::send(Method::POST, url, &[ACCEPT, JSON], body.to_string()).await
}

/// A body sent as it is, without a session.
pub async fn post(url: &str, headers: &[(&str, &str)], body: &str) -> Result<Reply> {
    let headers = [&[ACCEPT, JSON], headers].concat();
    http::send(Method::POST, url, &headers, body.to_owned()).await
}

/// A tool call of the revision without sessions.
pub async fn modern_call(url: &str, tool: &str) -> Result<Reply> {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "mesh-test", "version": "1.0.0"},
    });
    let mut body = tool_call(7, tool);
    if let Some(params) = body.get_mut("params").and_then(Value::as_object_mut) {
        params.insert("_meta".to_owned(), meta);
    }
    let headers = [("mcp-protocol-version", MODERN), ("mcp-method", "tools/call"), ("mcp-name", tool)];
    post(url, &headers, &body.to_string()).await
}

pub fn tool_call(id: u64, tool: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": {}}})
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
