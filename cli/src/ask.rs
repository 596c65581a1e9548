//! Asks control's operator API, and the admin listener of a proxy.
//!
//! In: where control is and what to ask. Out: its answer as JSON, or a problem that names the next thing to try.

use serde_json::Value;

use crate::http::{HttpError, Origin, get_json, post_json, post_json_if};
use crate::problem::Problem;
use crate::render::cell::{items, string};
use crate::render::table::printable_lines;

/// The answer of control to one path.
pub async fn control(origin: &Origin, path_and_query: &str) -> Result<Value, Problem> {
    get_json(origin, path_and_query).await.map_err(|error| unanswered(origin, error))
}

/// Has control do something; what it says of it.
pub async fn control_to(origin: &Origin, path: &str, body: &Value) -> Result<Value, Problem> {
    post_json(origin, path, body).await.map_err(|error| unanswered(origin, error))
}

/// Has control do something if the intent that runs is the one that is expected.
pub async fn control_if(origin: &Origin, path: &str, body: &Value, expected: u64) -> Result<Value, Problem> {
    let matches = format!("\"{expected}\"");
    post_json_if(origin, path, body, &matches).await.map_err(|error| unanswered(origin, error))
}

/// The answer of a proxy's admin listener to one path.
pub async fn proxy(origin: &Origin, path_and_query: &str) -> Result<Value, Problem> {
    get_json(origin, path_and_query).await.map_err(proxy_unanswered)
}

/// The same where it says itself what is wrong with the question.
pub async fn proxy_about(origin: &Origin, path_and_query: &str) -> Result<Value, Problem> {
    get_json(origin, path_and_query).await.map_err(|error| match error {
        HttpError::Status { detail, hint: Some(hint), .. } => Problem::failed(detail).next(hint),
        other => proxy_unanswered(other),
    })
}

fn proxy_unanswered(error: HttpError) -> Problem {
    Problem::failed("the proxy cannot be asked")
        .because(error)
        .next("name the address of its admin listener, which answers on its own machine: --admin ADDRESS")
}

fn unanswered(origin: &Origin, error: HttpError) -> Problem {
    match error {
        HttpError::Status { detail, hint, problem, .. } => {
            let problem = Problem::failed(with_findings(detail, &problem));
            match hint {
                Some(hint) => problem.next(hint),
                None => problem,
            }
        }
        HttpError::Connect { .. } | HttpError::Slow { .. } => Problem::failed("control cannot be asked")
            .because(error)
            .next("start it with `outrigger control -f control.yaml` or `outrigger up …`, or name its HTTP address: --control ADDRESS"),
        other => Problem::failed("control cannot be asked")
            .because(other)
            .next(format!("check that {origin} is control's HTTP address, not its gRPC address")),
    }
}

/// Where control lists what is wrong, all of it, each on a line.
fn with_findings(detail: String, problem: &Value) -> String {
    match items(problem, "findings") {
        [] => detail,
        findings => {
            let lines =
                findings.iter().map(|finding| format!("{}: {}", string(finding, "path"), string(finding, "detail")));
            printable_lines(&lines.collect::<Vec<_>>().join("\n       "))
        }
    }
}

/// A text as it may stand in a query.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests;
