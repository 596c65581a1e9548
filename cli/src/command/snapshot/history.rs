//! `outrigger snapshot history` and `show`.

use serde_json::Value;

use crate::args::snapshot::{History, Show};
use crate::ask;
use crate::output::say;
use crate::problem::Problem;
use crate::render::cell::text;
use crate::render::form::{self, Form, document};
use crate::render::table::{Column, printable};

use super::newest::{newest, number};

const RECORDS: &[Column] = &[
    Column { title: "INTENT", wide: false, read: |row| text(row, "number") },
    Column { title: "RUNS", wide: false, read: |row| text(row, "runs") },
    Column { title: "SOURCE", wide: false, read: |row| text(row, "source") },
    Column { title: "AT", wide: false, read: |row| text(row, "at") },
    Column { title: "AUTHOR", wide: false, read: |row| text(row, "author") },
    Column { title: "UNDOES", wide: true, read: |row| text(row, "undoes") },
    Column { title: "PARENT", wide: true, read: |row| text(row, "parent") },
    Column { title: "REASON", wide: false, read: |row| text(row, "reason") },
];

pub async fn list(history: History) -> Result<(), Problem> {
    let before = history.before.map(|before| format!("&before={before}")).unwrap_or_default();
    let path = format!("/v1/history?limit={}{before}", history.limit);
    let answer = ask::control(&history.at.control, &path).await?;
    say(form::list(history.output, RECORDS, &answer, "no intent")?)
}

pub async fn show(show: Show) -> Result<(), Problem> {
    let control = &show.at.control;
    let number = match show.number {
        Some(number) => number,
        None => number(&newest(control).await?),
    };
    let answer = ask::control(control, &format!("/v1/intents/{number}")).await?;
    say(match show.output {
        Form::Json | Form::Yaml => document(show.output, &answer)?,
        Form::Table | Form::Wide => told(&answer)?,
    })
}

/// Who, when and why as comments, and below what was declared, as a file could have it.
pub fn told(answer: &Value) -> Result<String, Problem> {
    let of = |field: &str| printable(&text(answer, field));
    let runs = if answer.get("runs").and_then(Value::as_bool) == Some(true) { ", which runs" } else { "" };
    let mut lines = vec![
        format!("# intent {}{runs}; source: {}", of("number"), of("source")),
        format!("# {} by {}: {}", of("at"), of("author"), of("reason")),
    ];
    if answer.get("undoes").is_some_and(Value::is_u64) {
        lines.push(format!("# undoes intent {}", of("undoes")));
    }
    lines.push(document(Form::Yaml, answer.get("document").unwrap_or(&Value::Null))?);
    Ok(lines.join("\n"))
}
