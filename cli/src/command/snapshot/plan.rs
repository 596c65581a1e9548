//! `outrigger snapshot plan`: what a file would change.

use serde_json::{Value, json};

use crate::args::snapshot::Plan;
use crate::ask;
use crate::output::{note, say};
use crate::problem::Problem;
use crate::render::cell::{items, string, text};
use crate::render::form::{Form, document};
use crate::render::table::{Column, printable, table};

const FINDINGS: &[Column] = &[
    Column { title: "SEVERITY", wide: false, read: |row| text(row, "severity") },
    Column { title: "KIND", wide: false, read: |row| text(row, "kind") },
    Column { title: "PATH", wide: false, read: |row| text(row, "path") },
    Column { title: "DETAIL", wide: false, read: |row| text(row, "detail") },
];
/// Changes of one view that a table lists; `-o wide` lists all that control does.
const CHANGES_SHOWN: usize = 20;

/// Fails if it would not be published, so that scripts can ask.
pub async fn run(plan: Plan) -> Result<(), Problem> {
    let body = json!({"document": super::document::read(&plan.source.file)?});
    let answer = ask::control_to(&plan.at.control, "/v1/plan", &body).await?;
    say(match plan.output {
        Form::Json | Form::Yaml => document(plan.output, &answer)?,
        Form::Table | Form::Wide => told(&answer, plan.output == Form::Wide),
    })?;
    if answer.get("publishable").and_then(Value::as_bool) != Some(true) {
        let errors = items(&answer, "findings").iter().filter(|finding| string(finding, "severity") == "error").count();
        return Err(Problem::failed(format!("{errors} errors; it would not be published"))
            .next("outrigger schema control   lists every key of `routes`, `pools` and `settings`"));
    }
    let file = plan.source.file.display();
    note(format!("next:  outrigger snapshot publish -f {file} --expect {} --reason TEXT", text(&answer, "current")));
    Ok(())
}

pub fn told(answer: &Value, wide: bool) -> String {
    let (views, proxies) = (counted(answer, "view_count", "view", "views"), proxies(answer));
    let current = text(answer, "current");
    let mut lines = vec![format!("compared with intent {current}, which runs: {views} and {proxies} would change")];
    for view in items(answer, "views") {
        lines.extend(view_lines(view, wide));
    }
    lines.extend(findings(answer, "findings", "findings"));
    lines.extend(findings(answer, "expressible", "what stock xDS clients cannot be told"));
    lines.join("\n")
}

fn view_lines(view: &Value, wide: bool) -> Vec<String> {
    let (count, proxies) = (counted(view, "change_count", "resource", "resources"), proxies(view));
    let mut lines = vec![format!("view {}: {count}, {proxies}", printable(string(view, "view")))];
    let changes = items(view, "changes");
    let shown = if wide { changes.len() } else { CHANGES_SHOWN };
    for change in changes.iter().take(shown) {
        let mark = match string(change, "change") {
            "added" => '+',
            "removed" => '-',
            _ => '~',
        };
        lines.push(format!("  {mark} {} {}", string(change, "kind"), printable(string(change, "name"))));
    }
    if changes.len() > shown {
        lines.push(format!("  … and {} more; -o wide", changes.len() - shown));
    }
    lines
}

fn proxies(of: &Value) -> String {
    counted(of, "proxy_count", "proxy", "proxies")
}

fn counted(of: &Value, field: &str, one: &str, many: &str) -> String {
    let count = text(of, field);
    format!("{count} {}", if count == "1" { one } else { many })
}

/// A table of what there is to say, under its title.
pub fn findings(answer: &Value, field: &str, title: &str) -> Vec<String> {
    match items(answer, field) {
        [] => Vec::new(),
        rows => vec![format!("{title}:"), table(FINDINGS, rows, false)],
    }
}
