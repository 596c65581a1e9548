//! Tools that speak before they answer: logs, progress, and questions as requests of their own (2025-11-25).
//!
//! In: a call and the way to its client. Out: notifications and requests on the call's stream, then the result.
//! Never here: what is remembered between requests.
//! Invariant: a client that has gone away hears nothing of it; the call ends all the same.
#![expect(deprecated, reason = "sampling and logging leave the protocol in 2026-07-28, and are spoken until then")]

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    CallToolResult, ContentBlock, ErrorData, InputRequest, LoggingLevel, LoggingMessageNotificationParam,
    ProgressNotificationParam,
};
use rmcp::service::RequestContext;
use serde_json::{Value, json};

use super::questions::{Question, in_words};

/// Between two steps, so that a client can see that they come one by one.
const PAUSE: Duration = Duration::from_millis(50);
const LOGGER: &str = "conformance-server";

pub fn text(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text.into())])
}

/// Logs three lines at `info`, if `least` lets them through.
pub async fn logs(context: &RequestContext<RoleServer>, least: Option<LoggingLevel>) -> CallToolResult {
    let heard = least.is_some_and(|least| least as u8 <= LoggingLevel::Info as u8);
    for (step, line) in
        ["Tool execution started", "Tool processing data", "Tool execution completed"].iter().enumerate()
    {
        if step > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        if heard {
            let line = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(line)).with_logger(LOGGER);
            let _ = context.peer.notify_logging_message(line).await;
        }
    }
    text("Tool with logging executed successfully")
}

pub async fn progress(context: &RequestContext<RoleServer>) -> CallToolResult {
    for done in [0.0, 50.0, 100.0] {
        if let Some(token) = context.meta.get_progress_token() {
            let progress = ProgressNotificationParam::new(token, done).with_total(100.0);
            let _ = context.peer.notify_progress(progress).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
    text("Tool with progress executed successfully")
}

/// Long enough that a client whose stream ends meanwhile has to come back for the result.
pub async fn slowly() -> CallToolResult {
    tokio::time::sleep(PAUSE * 4).await;
    text("Reconnection test completed successfully")
}

/// The question that a tool of this name puts to the client.
pub fn question(name: &str, arguments: &Value) -> Result<Question, ErrorData> {
    let argument = |name: &str| {
        let given = arguments.get(name).and_then(Value::as_str);
        given.ok_or_else(|| ErrorData::invalid_params(format!("the argument {name} is missing"), None))
    };
    match name {
        "test_sampling" => Question::sampling("prompt", argument("prompt")?),
        "test_elicitation" => Question::form("user", argument("message")?, user_schema()),
        "test_elicitation_sep1034_defaults" => {
            Question::form("defaults", "Please review and update the form fields with defaults", defaults_schema())
        }
        _ => Question::form("choices", "Please select options from the enum fields", choices_schema()),
    }
}

/// Asks with a request of its own and waits for the answer.
pub async fn asks(
    context: &RequestContext<RoleServer>,
    name: &str,
    question: Question,
) -> Result<CallToolResult, ErrorData> {
    let answer = match question.request {
        InputRequest::CreateMessage(request) => {
            context.peer.create_message(request.params).await.map(|answer| json!(answer))
        }
        InputRequest::Elicitation(request) => {
            context.peer.create_elicitation(request.params).await.map(|answer| json!(answer))
        }
        _ => return Err(ErrorData::internal_error("no tool asks this with a request", None)),
    };
    match answer {
        Ok(answer) => Ok(text(told(name, &answer))),
        Err(error) => {
            Ok(CallToolResult::error(vec![ContentBlock::text(format!("the client did not answer: {error}"))]))
        }
    }
}

pub fn told(name: &str, answer: &Value) -> String {
    let before = match name {
        "test_sampling" => "LLM response",
        "test_elicitation" => "User response",
        _ => "Elicitation completed",
    };
    format!("{before}: {}", in_words(answer))
}

fn user_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "username": { "type": "string", "description": "User's response" },
            "email": { "type": "string", "description": "User's email address" },
        },
        "required": ["username", "email"],
    })
}

fn defaults_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "default": "John Doe" },
            "age": { "type": "integer", "default": 30 },
            "score": { "type": "number", "default": 95.5 },
            "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
            "verified": { "type": "boolean", "default": true },
        },
    })
}

fn choices_schema() -> Value {
    let titled = |titles: [&str; 3]| -> Vec<Value> {
        let numbered = titles.iter().enumerate();
        numbered.map(|(at, title)| json!({ "const": format!("value{}", at + 1), "title": title })).collect()
    };
    json!({
        "type": "object",
        "properties": {
            "untitledSingle": { "type": "string", "enum": ["option1", "option2", "option3"] },
            "titledSingle": { "type": "string", "oneOf": titled(["First Option", "Second Option", "Third Option"]) },
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": {
                "type": "array",
                "items": { "type": "string", "enum": ["option1", "option2", "option3"] },
            },
            "titledMulti": {
                "type": "array",
                "items": { "anyOf": titled(["First Choice", "Second Choice", "Third Choice"]) },
            },
        },
    })
}
