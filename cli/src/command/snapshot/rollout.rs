//! `outrigger snapshot rollout`: starts a rollout, moves it, and says how it stands.
//!
//! In: a file and the rules of its rollout, or a move. Out: the rollout beside what both groups do; with `--watch` each change until its end.
//! Invariant: whoever watched learns from the exit code whether everybody got it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::args::snapshot::rollout::{Abort, Move, Rollout, Seen, Start};
use crate::ask;
use crate::output::{note, say};
use crate::problem::Problem;
use crate::render::cell::{NOTHING, string, text};
use crate::render::form::{Form, document};
use crate::render::table::{Column, printable, table};

use super::publish::expected;

const CURRENT: &str = "/v1/rollouts/current";
const AGAIN_EVERY: Duration = Duration::from_millis(500);

const GROUPS: &[Column] = &[
    Column { title: "GROUP", wide: false, read: |row| text(row, "group") },
    Column { title: "PROXIES", wide: false, read: |row| text(row, "proxies") },
    Column { title: "APPLIED", wide: false, read: |row| text(row, "applied") },
    Column { title: "CALLS", wide: false, read: |row| text(row, "calls") },
    Column { title: "FAILURES", wide: false, read: |row| text(row, "failures") },
    Column { title: "RATIO", wide: false, read: |row| percent(row, "ratio") },
    Column { title: "MEAN", wide: false, read: |row| millis(row, "mean_ms") },
    Column { title: "NACKS", wide: false, read: |row| text(row, "nacks") },
    Column { title: "SERIALS", wide: false, read: serials },
];

pub async fn run(rollout: Rollout) -> Result<(), Problem> {
    match rollout {
        Rollout::Start(start) => begin(*start).await,
        Rollout::Status(status) => {
            let rollout = ask::control(&status.seen.at.control, CURRENT).await?;
            follow(&status.seen, rollout).await
        }
        Rollout::Widen(widen) => go(widen, "widen").await,
        Rollout::Promote(promote) => go(promote, "promote").await,
        Rollout::Abort(Abort { author, reason, output, at }) => {
            let body = json!({"author": author, "reason": reason});
            say(shown(output, &ask::control_to(&at.control, &format!("{CURRENT}/abort"), &body).await?)?)
        }
    }
}

async fn begin(start: Start) -> Result<(), Problem> {
    let control = &start.seen.at.control;
    let declared = super::document::read(&start.source.file)?;
    let expected = expected(control, &start.signature).await?;
    let rollout = ask::control_if(control, "/v1/rollouts", &body(&start, declared), expected).await?;
    if !start.seen.watch && matches!(start.seen.output, Form::Table | Form::Wide) {
        note(
            "next:  outrigger snapshot rollout status -w   shows how it goes\n       outrigger snapshot rollout abort   has everybody back",
        );
    }
    follow(&start.seen, rollout).await
}

/// What is not said is left to control.
fn body(start: &Start, document: Value) -> Value {
    let Start { signature, steps, labels, manual, soak, patience, error_increase, min_calls, slow_factor, .. } = start;
    let steps = (!steps.is_empty()).then_some(steps);
    let all = [
        ("document", document),
        ("author", json!(signature.author)),
        ("reason", json!(signature.reason)),
        ("steps", json!(steps)),
        ("labels", json!(labels)),
        ("manual", json!(manual)),
        ("soak_seconds", json!(soak)),
        ("patience_seconds", json!(patience)),
        ("error_ratio_max_increase", json!(error_increase)),
        ("min_calls", json!(min_calls)),
        ("slow_factor_max", json!(slow_factor)),
    ];
    let said = all.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(said.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

async fn go(step: Move, how: &str) -> Result<(), Problem> {
    let body = json!({"author": step.author});
    let rollout = ask::control_to(&step.seen.at.control, &format!("{CURRENT}/{how}"), &body).await?;
    follow(&step.seen, rollout).await
}

/// Shows it, and where that is asked for each change of it up to its end.
async fn follow(seen: &Seen, mut rollout: Value) -> Result<(), Problem> {
    let mut last = None;
    loop {
        let state = state(&rollout);
        if last.as_ref() != Some(&state) {
            if last.is_some() {
                say("")?;
            }
            say(shown(seen.output, &rollout)?)?;
            last = Some(state);
        }
        match string(&rollout, "phase") {
            _ if !seen.watch => return Ok(()),
            "promoted" => return Ok(()),
            "aborted" => {
                let why = printable(&text(&rollout, "why"));
                return Err(Problem::failed(format!("the rollout was aborted: {why}")).next("outrigger get events"));
            }
            _ => {}
        }
        tokio::time::sleep(AGAIN_EVERY).await;
        rollout = ask::control(&seen.at.control, CURRENT).await?;
    }
}

/// What is a change: where it stands, not how many calls there were meanwhile.
fn state(rollout: &Value) -> Vec<String> {
    let applied = |group: &str| rollout.get(group).map(|group| text(group, "applied")).unwrap_or_default();
    let mut state: Vec<String> = ["phase", "step", "why", "serial"].iter().map(|field| text(rollout, field)).collect();
    state.extend([applied("canary"), applied("control")]);
    state
}

fn shown(form: Form, rollout: &Value) -> Result<String, Problem> {
    if matches!(form, Form::Json | Form::Yaml) {
        return document(form, rollout);
    }
    let of = |field: &str| printable(&text(rollout, field));
    let mut lines = vec![
        format!("rollout {}: step {} of {}, {}", of("phase"), of("step"), of("steps"), printable(&lane(rollout))),
        format!("by {}: {}", of("author"), of("reason")),
    ];
    for (word, field) in [("why:   ", "why"), ("waits: ", "waits_for")] {
        if !string(rollout, field).is_empty() {
            lines.push(format!("{word} {}", of(field)));
        }
    }
    let groups: Vec<Value> = ["canary", "control"].into_iter().filter_map(|name| group(rollout, name)).collect();
    if !groups.is_empty() {
        lines.push(table(GROUPS, &groups, true));
    }
    Ok(lines.join("\n"))
}

/// Who gets the candidate on this step.
fn lane(rollout: &Value) -> String {
    let share = rollout.get("share").and_then(Value::as_u64).filter(|share| *share > 0);
    let parts = [string(rollout, "labels").to_owned(), share.map(|share| format!("{share} %")).unwrap_or_default()];
    let lead = match string(rollout, "lead") {
        "" => String::new(),
        lead => format!("{lead} first"),
    };
    let parts: Vec<String> = parts.into_iter().chain([lead]).filter(|part| !part.is_empty()).collect();
    parts.join(" and ")
}

fn group(rollout: &Value, name: &str) -> Option<Value> {
    let mut group = rollout.get(name)?.as_object()?.clone();
    group.insert("group".to_owned(), name.into());
    Some(Value::Object(group))
}

fn percent(row: &Value, field: &str) -> String {
    let ratio = row.get(field).and_then(Value::as_f64);
    ratio.map_or_else(|| NOTHING.to_owned(), |ratio| format!("{:.2} %", ratio * 100.0))
}

fn millis(row: &Value, field: &str) -> String {
    let mean = row.get(field).and_then(Value::as_f64);
    mean.map_or_else(|| NOTHING.to_owned(), |mean| format!("{mean:.1} ms"))
}

fn serials(row: &Value) -> String {
    let (oldest, newest) = (text(row, "serial_oldest"), text(row, "serial_newest"));
    if oldest == newest { newest } else { format!("{oldest}-{newest}") }
}

#[cfg(test)]
mod tests;
