//! `outrigger call`: calls a tool through the proxy, as an agent would.

use std::time::Duration;

use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::args::Call;
use crate::http::HttpError;
use crate::mcp::client::{Client, McpError};
use crate::output::{note, say};
use crate::problem::Problem;
use crate::render::cell::{items, string, text};
use crate::render::form::{Form, document};
use crate::render::table::{Column, printable, printable_lines, table};

const TOOLS: &[Column] = &[
    Column { title: "TOOL", wide: false, read: |row| text(row, "name") },
    Column { title: "READ ONLY", wide: false, read: |row| hint(row, "readOnlyHint") },
    Column { title: "DESCRIPTION", wide: false, read: |row| text(row, "description") },
];

/// Whether the session outlives the command.
enum Session {
    OfThisCall,
    Kept,
}

pub async fn run(call: Call) -> Result<(), Problem> {
    let within = Duration::from_secs(call.within);
    let (mut client, session) = match call.session.as_deref() {
        None => (opened(&call, within).await?, Session::OfThisCall),
        Some("new") => (opened(&call, within).await?, Session::Kept),
        Some(id) => {
            let id =
                HeaderValue::from_str(id).map_err(|cause| Problem::usage("this is no session id").because(cause))?;
            (Client::resume(call.outbound.clone(), call.target.as_str(), id, within), Session::Kept)
        }
    };
    let result = asked(&mut client, &call).await.map_err(|error| explained(error, &call));
    match session {
        Session::Kept => {
            let id = client.session().map(str::to_owned);
            told(&call, result?, id)
        }
        Session::OfThisCall => {
            client.close().await;
            told(&call, result?, None)
        }
    }
}

async fn opened(call: &Call, within: Duration) -> Result<Client, Problem> {
    let opened = Client::open(call.outbound.clone(), call.target.as_str(), within).await;
    opened.map_err(|error| explained(error, call))
}

async fn asked(client: &mut Client, call: &Call) -> Result<Value, McpError> {
    match &call.tool {
        None => client.tools().await,
        Some(tool) => client.call(tool, call.arguments.0.clone(), &mut progress).await,
    }
}

/// Tells of progress on the way to the answer.
fn progress(message: &Value) {
    let Some(params) = message.get("params").filter(|_| string(message, "method") == "notifications/progress") else {
        return;
    };
    let whole = |field: &str| text(params, field).trim_end_matches(".0").to_owned();
    let (progress, total, said) = (whole("progress"), whole("total"), printable(string(params, "message")));
    note(format!("progress {progress} of {total} {said}").trim_end());
}

fn told(call: &Call, result: Value, session: Option<String>) -> Result<(), Problem> {
    match call.output {
        Form::Json | Form::Yaml => {
            let answer = json!({"session": session, "result": result});
            say(document(call.output, &answer)?)?;
        }
        Form::Table | Form::Wide => {
            let people = match &call.tool {
                None => table(TOOLS, items(&result, "tools"), true),
                Some(_) => content(&result)?,
            };
            say(people)?;
            if let Some(id) = &session {
                note(format!("session: {id}"));
            }
        }
    }
    match result.get("isError").and_then(Value::as_bool) {
        Some(true) => Err(Problem::failed("the tool answered that it failed")),
        _ => Ok(()),
    }
}

/// The text of a result; what is not text is shown as JSON.
fn content(result: &Value) -> Result<String, Problem> {
    let parts = items(result, "content").iter().map(|part| match string(part, "type") {
        "text" => Ok(printable_lines(string(part, "text"))),
        _ => document(Form::Json, part),
    });
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    if parts.is_empty() { document(Form::Json, result) } else { Ok(parts.join("\n")) }
}

fn explained(error: McpError, call: &Call) -> Problem {
    let target = &call.target;
    let next = match &error {
        McpError::Http(HttpError::Connect { .. }) => {
            "start a proxy with `outrigger proxy -f proxy.yaml` or `outrigger up …`, or name its outbound listener: --outbound ADDRESS".to_owned()
        }
        McpError::Refused { status: StatusCode::NOT_FOUND, .. } | McpError::Bare(StatusCode::NOT_FOUND)
            if call.session.as_deref().is_some_and(|session| session != "new") =>
        {
            format!("the session is gone and clients open a new one: outrigger call {target} … --session new")
        }
        McpError::Refused { error, .. } if error.hint.is_some() => error.hint.clone().unwrap_or_default(),
        McpError::Refused { error, .. } if error.reason.is_some() => {
            format!("outrigger explain {target}   or   outrigger get routes")
        }
        McpError::Refused { .. } => format!("outrigger call {target}   lists its tools"),
        _ => format!("outrigger get agents   or   outrigger explain {target}"),
    };
    Problem::failed(format!("calling `{target}` failed")).because(error).next(next)
}

fn hint(row: &Value, field: &str) -> String {
    row.get("annotations").map_or_else(|| "-".to_owned(), |hints| text(hints, field))
}
