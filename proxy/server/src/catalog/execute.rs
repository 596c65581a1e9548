//! One tool, called for somebody who speaks no MCP.
//!
//! In: an agent, a tool, arguments as JSON. Out: the result as the tool gave it, or in which way there is none.
//! Invariant: it is called at most once, except where a session was lost and nothing ran.

use http::StatusCode;
use outrigger_model::name::AgentName;
use outrigger_model::revision::Era;

use super::aim::param_headers;
use super::line::LineError;
use super::listing::Kind;
use super::message::{INVALID_PARAMS, METHOD_NOT_FOUND, code_of};
use super::object::{Object, Raw};
use super::state::Catalog;

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotExecuted {
    #[error("the agent does not take these params: {0}")]
    Params(String),
    #[error("the agent has no tool `{0}`")]
    Tool(String),
    #[error("nobody serves it now: {0}")]
    Nobody(String),
    #[error("there is no answer in time")]
    Late,
    #[error("the agent did not answer as it should: {0}")]
    Agent(String),
}

impl Catalog {
    /// Whether an agent is in the mesh, as far as this proxy knows.
    pub fn knows(&self, agent: &AgentName) -> bool {
        self.mirror.view().targets.contains_key(agent)
    }

    /// Calls a tool of it.
    pub async fn execute(&self, agent: &AgentName, tool: &str, arguments: Option<Raw>) -> Result<Raw, NotExecuted> {
        let view = self.mirror.view();
        let listing = view.targets.get(agent).and_then(|known| known.listing.clone());
        if listing.is_some() && view.entry(Kind::Tools, agent, tool).is_none() {
            return Err(NotExecuted::Tool(echo(tool)));
        }
        let mut params = Object::default().with("name", &tool);
        params.set("arguments", arguments.unwrap_or_else(|| Object::default().raw()));
        let mut again = true;
        loop {
            let (line, _) = self.shared.line(&view, agent).await.map_err(|error| why(tool, &error))?;
            let headers = if line.era == Era::Modern { param_headers(&view, agent, &params) } else { Vec::new() };
            let answered = match line.call("tools/call", params.clone(), headers).await {
                Ok(mut exchange) => exchange.result().await,
                Err(error) => Err(error),
            };
            match answered {
                Ok(result) => return Ok(result.raw()),
                Err(LineError::SessionLost) if std::mem::take(&mut again) => {}
                Err(error) => return Err(why(tool, &error)),
            }
        }
    }
}

fn why(tool: &str, error: &LineError) -> NotExecuted {
    match error {
        LineError::Refused { status, error } => {
            let text = Object::read(error).and_then(|error| error.text("message")).unwrap_or_default();
            match (code_of(error), *status) {
                (_, StatusCode::GATEWAY_TIMEOUT) => NotExecuted::Late,
                (_, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) => NotExecuted::Nobody(text),
                (Some(METHOD_NOT_FOUND), _) => NotExecuted::Tool(echo(tool)),
                (Some(INVALID_PARAMS), _) => NotExecuted::Params(text),
                _ => NotExecuted::Agent(text),
            }
        }
        LineError::Unknown | LineError::Pipe(_) => NotExecuted::Nobody(error.to_string()),
        LineError::Status(StatusCode::SERVICE_UNAVAILABLE) => NotExecuted::Nobody(error.to_string()),
        LineError::Late | LineError::Status(StatusCode::GATEWAY_TIMEOUT) => NotExecuted::Late,
        LineError::Status(_) | LineError::SessionLost | LineError::NoAnswer => NotExecuted::Agent(error.to_string()),
    }
}

fn echo(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(128).collect()
}
