//! A tool of a service, called by plain HTTP: `POST /api/v1/mcp/{service}/execute`.
//!
//! In: the service, and `{"command": tool, "params": {…}}`. Out: `{"success": true, "result": …}`, or why not.
//! Why over the catalog: its calls are calls like any other, with sessions, retries, limits and metrics, whatever era the agent speaks.
//! Statuses: 400 what was asked is no call; 404 no such service or tool; 422 the tool says that it failed; 502 an answer that is none;
//! 503 nobody serves it now; 504 no answer in time.

use http::StatusCode;
use outrigger_model::name::AgentName;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::registry::Facade;
use super::serve::{json_answer, said};
use crate::catalog::{Answer, NotExecuted};

/// In front of the name of an MCP server, where its service is called without it.
const SERVER: &str = "mcp-";
const EXAMPLE: &str = r#"send {"command": "tool", "params": {…}}"#;

#[derive(Deserialize)]
struct Asked {
    command: String,
    #[serde(default)]
    params: Option<Box<RawValue>>,
}

impl Facade {
    pub(super) async fn execute(&self, service: &str, body: &[u8]) -> Answer {
        let asked: Asked = match serde_json::from_slice(body) {
            Ok(asked) => asked,
            Err(error) => return said(StatusCode::BAD_REQUEST, &format!("the body is no command: {error}"), EXAMPLE),
        };
        let params = asked.params.filter(|params| params.get() != "null");
        if params.as_ref().is_some_and(|params| !params.get().starts_with('{')) {
            return said(StatusCode::BAD_REQUEST, "`params` is no object", EXAMPLE);
        }
        let names = [format!("{SERVER}{service}"), service.to_owned()];
        let known = names.iter().filter_map(|name| AgentName::new(name).ok());
        let Some(agent) = known.into_iter().find(|name| self.catalog.knows(name)) else {
            let hint = "GET /api/v1/mcp/{service}/status at the control service tells which there are";
            return said(StatusCode::NOT_FOUND, &format!("no service `{service}` is known here"), hint);
        };
        match self.catalog.execute(&agent, &asked.command, params).await {
            Ok(result) => done(&result),
            Err(error) => refused(&error),
        }
    }
}

fn done(result: &RawValue) -> Answer {
    let result: Value = serde_json::from_str(result.get()).unwrap_or_default();
    let failed = result.get("isError").and_then(Value::as_bool).unwrap_or_default();
    match failed {
        false => json_answer(StatusCode::OK, &json!({ "success": true, "result": result })),
        true => json_answer(
            StatusCode::UNPROCESSABLE_ENTITY,
            &json!({ "success": false, "error": "the tool failed", "result": result }),
        ),
    }
}

fn refused(error: &NotExecuted) -> Answer {
    let status = match error {
        NotExecuted::Params(_) => StatusCode::BAD_REQUEST,
        NotExecuted::Tool(_) => StatusCode::NOT_FOUND,
        NotExecuted::Nobody(_) => StatusCode::SERVICE_UNAVAILABLE,
        NotExecuted::Late => StatusCode::GATEWAY_TIMEOUT,
        NotExecuted::Agent(_) => StatusCode::BAD_GATEWAY,
    };
    json_answer(status, &json!({ "success": false, "error": error.to_string() }))
}

#[cfg(test)]
mod tests;
