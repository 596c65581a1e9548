//! `outrigger snapshot diff`: what differs between two intents.

use serde_json::Value;

use crate::args::snapshot::Diff;
use crate::ask;
use crate::output::say;
use crate::problem::Problem;
use crate::render::cell::{items, string};
use crate::render::form::{Form, document};
use crate::render::table::printable;

use super::newest::{newest, number};

pub async fn run(diff: Diff) -> Result<(), Problem> {
    let control = &diff.at.control;
    let (before, after) = match (diff.before, diff.after) {
        (Some(before), Some(after)) => (before, after),
        (before, _) => {
            let newest = newest(control).await?;
            let parent = newest.get("parent").and_then(Value::as_u64);
            let none =
                || Problem::failed("the first intent runs; there is none before it").next("outrigger snapshot show");
            (before.or(parent).ok_or_else(none)?, number(&newest))
        }
    };
    let answer = ask::control(control, &format!("/v1/diff/{before}/{after}")).await?;
    say(match diff.output {
        Form::Json | Form::Yaml => document(diff.output, &answer)?,
        Form::Table | Form::Wide => told(&answer, before, after),
    })
}

pub fn told(answer: &Value, before: u64, after: u64) -> String {
    let differences = items(answer, "items");
    if differences.is_empty() {
        return format!("intents {before} and {after} say the same");
    }
    let mut lines = vec![format!("from intent {before} to {after}")];
    for difference in differences {
        let of = |field: &str| printable(string(difference, field));
        lines.push(match string(difference, "kind") {
            "settings" => format!("{} settings", of("change")),
            _ => format!("{} {} {}", of("change"), of("kind"), of("name")),
        });
        lines.extend(items(difference, "fields").iter().map(field));
    }
    lines.join("\n")
}

fn field(field: &Value) -> String {
    let value = |name: &str| field.get(name).and_then(Value::as_str).map(printable);
    let path = printable(string(field, "path"));
    match (value("before"), value("after")) {
        (Some(before), Some(after)) => format!("  {path}: {before} → {after}"),
        (None, Some(after)) => format!("  {path}: {after} (was not set)"),
        (Some(before), None) => format!("  {path}: not set (was {before})"),
        (None, None) => format!("  {path}"),
    }
}
