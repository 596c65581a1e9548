//! `outrigger check`: whether a mesh works, part by part, and what to try where it does not.
//!
//! In: the health listener of a proxy and the operator API of control. Out: one row per part; exit code 1 if any failed.
//! A part that works without something that it is meant to have (a store of sessions, a replica) warns and does not fail.
//! Never here: changing anything.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::args::Check;
use crate::ask;
use crate::http::{ANSWER_WITHIN, HttpError, Origin, read, send};
use crate::output::say;
use crate::problem::Problem;
use crate::render::cell::{items, string, text};
use crate::render::form::list;
use crate::render::table::Column;

const READY: &str = "/healthz/ready";

const COLUMNS: &[Column] = &[
    Column { title: "PART", wide: false, read: |row| text(row, "part") },
    Column { title: "VERDICT", wide: false, read: |row| text(row, "verdict") },
    Column { title: "DETAIL", wide: false, read: |row| text(row, "detail") },
    Column { title: "NEXT", wide: false, read: |row| text(row, "next") },
];

/// One part of the mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    part: String,
    verdict: Verdict,
    detail: String,
    /// What to try; empty where nothing is wrong.
    next: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

pub async fn run(check: Check) -> Result<(), Problem> {
    let mut findings = proxy(&check.health).await;
    findings.extend(control(&check.at.control).await);
    let failed = findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count();
    let rows = json!({ "items": findings.iter().map(Finding::row).collect::<Vec<_>>() });
    say(list(check.output, COLUMNS, &rows, "nothing was checked")?)?;
    match failed {
        0 => Ok(()),
        count => Err(Problem::failed(format!("{count} of {} parts failed", findings.len()))),
    }
}

async fn proxy(health: &Origin) -> Vec<Finding> {
    let next = "start it with `outrigger proxy -f proxy.yaml`, or name its health listener: --health ADDRESS";
    match ready(health).await {
        Ok((is_ready, said)) => of_proxy(is_ready, &said),
        Err(error) => vec![Finding::failed("proxy", chain(&error), next)],
    }
}

async fn control(control: &Origin) -> Vec<Finding> {
    let next = "start it with `outrigger control -f control.yaml`, or name its HTTP address: --control ADDRESS";
    let mut findings = match ready(control).await {
        Ok((true, _)) => vec![Finding::fine("control", "ready")],
        Ok((false, said)) => vec![Finding::failed("control", said, "see its log")],
        Err(error) => return vec![Finding::failed("control", chain(&error), next)],
    };
    for (path, read) in [("/v1/proxies", of_proxies as fn(&Value) -> Vec<Finding>), ("/v1/agents", of_agents)] {
        match ask::control(control, path).await {
            Ok(answer) => findings.extend(read(&answer)),
            Err(problem) => findings.push(Finding::failed("control", problem.to_string(), next)),
        }
    }
    findings
}

/// Whether a server says that it is ready, and all that it says.
async fn ready(origin: &Origin) -> Result<(bool, String), HttpError> {
    let request = Request::get(READY).body(Full::<Bytes>::default())?;
    let answer = send(origin, request, ANSWER_WITHIN).await?;
    let is_ready = answer.status().is_success();
    let body = read(origin, answer.into_body()).await?;
    Ok((is_ready, String::from_utf8_lossy(&body).trim().to_owned()))
}

/// The first line is the verdict of the proxy, the others say what it lacks.
fn of_proxy(is_ready: bool, said: &str) -> Vec<Finding> {
    let mut lines = said.lines();
    let verdict = lines.next().unwrap_or_default().to_owned();
    let details: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    if !is_ready {
        let said = if details.is_empty() { verdict } else { details.join("; ") };
        return vec![Finding::failed("proxy", said, "see its log")];
    }
    let lacks = details.iter().map(|line| Finding {
        part: "proxy".to_owned(),
        verdict: Verdict::Warn,
        detail: (*line).to_owned(),
        next: "calls go on; see its log and docs/operating.md",
    });
    [Finding::fine("proxy", &verdict)].into_iter().chain(lacks).collect()
}

fn of_proxies(answer: &Value) -> Vec<Finding> {
    let finding = |row: &Value| {
        let (part, status) = (format!("proxy {}", string(row, "node")), string(row, "status"));
        let (verdict, detail, next) = match status {
            "SYNCED" => (Verdict::Ok, format!("snapshot {}", text(row, "serial")), ""),
            "REFUSED" => (Verdict::Fail, text(row, "refusal"), "mend what it names, or see the log of the proxy"),
            "STALE" => (Verdict::Warn, format!("runs {} of {}", text(row, "serial"), text(row, "target")), "ask again"),
            _ => (Verdict::Warn, "not connected".to_owned(), "it serves what it knows; see its log"),
        };
        Finding { part, verdict, detail, next }
    };
    items(answer, "items").iter().map(finding).collect()
}

fn of_agents(answer: &Value) -> Vec<Finding> {
    let finding = |row: &Value| {
        let replicas = items(row, "replicas");
        let healthy = replicas.iter().filter(|replica| string(replica, "state") == "healthy").count();
        let (verdict, next) = match healthy {
            0 => (Verdict::Fail, "outrigger get replicas"),
            some if some < replicas.len() => (Verdict::Warn, "outrigger get replicas"),
            _ => (Verdict::Ok, ""),
        };
        let (part, detail) =
            (format!("agent {}", string(row, "name")), format!("{healthy} of {} replicas healthy", replicas.len()));
        Finding { part, verdict, detail, next }
    };
    items(answer, "items").iter().map(finding).collect()
}

/// An error with its causes in one line.
fn chain(error: &HttpError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}

impl Finding {
    fn fine(part: &str, detail: &str) -> Self {
        Self { part: part.to_owned(), verdict: Verdict::Ok, detail: detail.to_owned(), next: "" }
    }

    fn failed(part: &str, detail: String, next: &'static str) -> Self {
        Self { part: part.to_owned(), verdict: Verdict::Fail, detail, next }
    }

    fn row(&self) -> Value {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        };
        json!({"part": self.part, "verdict": verdict, "detail": self.detail, "next": self.next})
    }
}

#[cfg(test)]
mod tests;
