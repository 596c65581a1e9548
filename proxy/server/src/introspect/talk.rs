//! The conversation: which questions, in which era, and what is made of the answers.
//!
//! In: the agent's URL. Out: an [`Offer`], or why there is none.
//! Order: `server/discover` of 2026-07-28; if the agent does not know it, `initialize`, `notifications/initialized`, and
//! at the end DELETE, so that no session of ours stays behind. `tools/list` page by page in either era.

use std::time::Duration;

use http::{Method, StatusCode};
use outrigger_model::capability::{TOOLS_MAX, Tool};
use outrigger_model::revision::{Era, Revision};
use outrigger_proxy_core::mcp::headers::{METHOD, PROTOCOL_VERSION, SESSION_ID};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout, timeout_at};

use super::exchange::{Answer, Ask, exchange};
use super::offer::{Offer, Server, read_tools, settle};
use crate::config::settings::AgentUrl;

pub use super::exchange::ExchangeError;

/// How long the whole conversation may take.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// How long a server may think about a method it does not know; some legacy ones never answer.
const DISCOVER_DEADLINE: Duration = Duration::from_secs(3);
/// How long a session of ours may take to end; nothing waits for its success.
const END_DEADLINE: Duration = Duration::from_secs(1);
/// Most pages of one list.
const PAGES_MAX: usize = 64;
/// Most revisions that are believed.
const REVISIONS_MAX: usize = 16;
/// Longest text of an agent that is repeated to people, in characters.
const SAID_CHARS_MAX: usize = 200;

/// Why an agent's offer is not known.
#[derive(Debug, thiserror::Error)]
pub enum IntrospectError {
    #[error("agent cannot be reached")]
    Unreachable(#[from] ExchangeError),
    #[error("agent accepts connections and does not answer")]
    Silent,
    #[error("agent answers `initialize` with HTTP {0}; is its URL right, and does it let us in?")]
    Status(StatusCode),
    #[error("agent refuses `initialize`: {0}")]
    Refused(String),
    #[error("agent answers `initialize` with something that is no MCP")]
    NotMcp,
}

impl IntrospectError {
    /// Whether the agent spoke HTTP at all: then calls may work although we do not understand it.
    pub fn answered(&self) -> bool {
        matches!(self, Self::Status(_) | Self::Refused(_) | Self::NotMcp)
    }
}

/// Asks the agent what it offers, within [`DEADLINE`].
pub async fn introspect(url: &AgentUrl) -> Result<Offer, IntrospectError> {
    let until = Instant::now() + DEADLINE;
    let discovered = match timeout(DISCOVER_DEADLINE, discover(url)).await {
        Ok(Ok(found)) => found,
        // Some servers drop the connection on what they do not know; whether the agent is there shows in `initialize`.
        Ok(Err(_)) | Err(_) => None,
    };
    let talk = async {
        match discovered {
            Some((revision, mut offer)) => {
                let speaker = Speaker { url, revision, session: None };
                offer.tools = tools(&speaker).await;
                Ok(offer)
            }
            None => legacy(url, until).await,
        }
    };
    timeout_at(until, talk).await.unwrap_or(Err(IntrospectError::Silent))
}

/// One side of the conversation after its opening.
pub(super) struct Speaker<'a> {
    pub(super) url: &'a AgentUrl,
    pub(super) revision: Revision,
    pub(super) session: Option<String>,
}

/// The modern opening; `None` where the agent does not know it.
async fn discover(url: &AgentUrl) -> Result<Option<(Revision, Offer)>, ExchangeError> {
    let speaker = Speaker { url, revision: Revision::V2026_07_28, session: None };
    let Some(message) = speaker.ask(1, "server/discover", json!({})).await?.message else { return Ok(None) };
    let result = message.get("result");
    // -32022: the agent is modern and speaks other revisions than the one we asked in.
    let listed = match result {
        Some(result) => result.get("supportedVersions"),
        None => message.pointer("/error/data/supported"),
    };
    let revisions = revisions(listed);
    let Some(revision) = revisions.iter().copied().rfind(|revision| revision.era() == Era::Modern) else {
        return Ok(None);
    };
    let server = result.and_then(|result| {
        let meta = result.get("_meta").and_then(|meta| meta.get("io.modelcontextprotocol/serverInfo"));
        Server::read(meta.or_else(|| result.get("serverInfo"))?)
    });
    let spoken = if revisions.contains(&Revision::V2026_07_28) { Revision::V2026_07_28 } else { revision };
    Ok(Some((spoken, Offer { revisions, server, tools: Vec::new() })))
}

fn revisions(listed: Option<&Value>) -> Vec<Revision> {
    let texts = listed.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let known = texts.iter().filter_map(|text| text.as_str()?.parse().ok());
    let mut revisions: Vec<_> = known.take(REVISIONS_MAX).collect();
    revisions.sort_unstable();
    revisions.dedup();
    revisions
}

async fn legacy(url: &AgentUrl, until: Instant) -> Result<Offer, IntrospectError> {
    let (speaker, result) = Speaker::open(url).await?;
    let server = result.get("serverInfo").and_then(Server::read);
    // The session is ours to end, also when time runs out in between.
    let tools = timeout_at(until - END_DEADLINE, async {
        speaker.notify("notifications/initialized").await?;
        Ok::<_, ExchangeError>(tools(&speaker).await)
    });
    let tools = tools.await;
    speaker.end().await;
    let tools = tools.map_err(|_| IntrospectError::Silent)??;
    Ok(Offer { revisions: vec![speaker.revision], server, tools })
}

/// The result of `initialize`, or what there was instead.
fn initialized(answer: Answer) -> Result<Value, IntrospectError> {
    let Some(mut message) = answer.message else {
        return Err(if answer.status.is_success() {
            IntrospectError::NotMcp
        } else {
            IntrospectError::Status(answer.status)
        });
    };
    if let Some(result) = message.get_mut("result") {
        return Ok(result.take());
    }
    let said = message.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason given");
    Err(IntrospectError::Refused(said.chars().filter(|letter| !letter.is_control()).take(SAID_CHARS_MAX).collect()))
}

/// All pages of `tools/list`. A server without tools answers with an error; then there are none.
async fn tools(speaker: &Speaker<'_>) -> Vec<Tool> {
    let mut tools = Vec::new();
    let mut params = json!({});
    for page in 0..PAGES_MAX {
        let id = 2 + page as u64;
        let Ok(Answer { message: Some(message), .. }) = speaker.ask(id, "tools/list", params).await else { break };
        let Some(result) = message.get("result") else { break };
        read_tools(result, &mut tools);
        match result.get("nextCursor").and_then(Value::as_str) {
            Some(cursor) if tools.len() < TOOLS_MAX => params = json!({ "cursor": cursor }),
            _ => break,
        }
    }
    settle(tools)
}

fn client_info() -> Value {
    json!({ "name": "outrigger", "version": env!("CARGO_PKG_VERSION") })
}

impl<'a> Speaker<'a> {
    /// The legacy opening, up to the result of `initialize`.
    pub(super) async fn open(url: &'a AgentUrl) -> Result<(Self, Value), IntrospectError> {
        let mut speaker = Self { url, revision: Revision::V2025_11_25, session: None };
        let params = json!({
            "protocolVersion": speaker.revision.to_string(),
            "capabilities": {},
            "clientInfo": client_info(),
        });
        let answer = speaker.ask(1, "initialize", params).await?;
        speaker.session = answer.session.clone();
        let result = initialized(answer)?;
        let revision = result.get("protocolVersion").and_then(Value::as_str).and_then(|text| text.parse().ok());
        speaker.revision = revision.ok_or(IntrospectError::NotMcp)?;
        Ok((speaker, result))
    }
}

impl Speaker<'_> {
    pub(super) async fn ask(&self, id: u64, method: &str, params: Value) -> Result<Answer, ExchangeError> {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": self.dress(params) });
        self.post(Some(id), method, &message).await
    }

    pub(super) async fn notify(&self, method: &str) -> Result<Answer, ExchangeError> {
        self.post(None, method, &json!({ "jsonrpc": "2.0", "method": method })).await
    }

    async fn post(&self, id: Option<u64>, method: &str, message: &Value) -> Result<Answer, ExchangeError> {
        let revision = self.revision.to_string();
        let mut headers = self.headers(&revision, method != "initialize");
        if self.revision.era() == Era::Modern {
            headers.push((METHOD, method));
        }
        let body = message.to_string().into_bytes();
        exchange(self.url, Ask { method: Method::POST, headers, body, id }).await
    }

    /// Ends the session, if there is one. A server may not allow it (405), or be gone.
    pub(super) async fn end(&self) {
        if self.session.is_none() {
            return;
        }
        let revision = self.revision.to_string();
        let headers = self.headers(&revision, true);
        let ask = Ask { method: Method::DELETE, headers, body: Vec::new(), id: None };
        let _ = timeout(END_DEADLINE, exchange(self.url, ask)).await;
    }

    fn headers<'a>(&'a self, revision: &'a str, opened: bool) -> Vec<(&'static str, &'a str)> {
        let mut headers = Vec::new();
        if opened {
            headers.push((PROTOCOL_VERSION, revision));
        }
        if let Some(session) = &self.session {
            headers.push((SESSION_ID, session.as_str()));
        }
        headers
    }

    /// Modern requests say in `_meta` who asks and in which revision.
    fn dress(&self, mut params: Value) -> Value {
        if let (Era::Modern, Some(members)) = (self.revision.era(), params.as_object_mut()) {
            let meta = json!({
                "io.modelcontextprotocol/protocolVersion": self.revision.to_string(),
                "io.modelcontextprotocol/clientInfo": client_info(),
                "io.modelcontextprotocol/clientCapabilities": {},
            });
            members.insert("_meta".to_owned(), meta);
        }
        params
    }
}

#[cfg(test)]
mod tests;
