//! `POST /v1/sessions/revoke` ends sessions before their time; `GET /v1/sessions/revocations?limit=` says what is in force, newest first.
//!
//! In: whose sessions, and why. Out: the snapshot that says so to every proxy.
//! Never here: which sessions there are; the proxies know.
//! Invariant: who is answered 200 finds the revocation in the newest snapshot.

use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use outrigger_control_core::registry::{Answer, Command};
use outrigger_control_core::revocation::Target;
use outrigger_model::revocation::Revocations;
use outrigger_wire::time::rfc3339;
use serde::{Deserialize, Serialize};

use crate::http::api::{Api, Items};
use crate::http::problem::Problem;

const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 30_000;
/// Facts become a snapshot within a quarter of a second.
const PUBLISHED_WITHIN: Duration = Duration::from_secs(5);
const HINT: &str = r#"send one of {"session": "<16 hex digits>"}, {"caller": "<identity>"}, {"agent": "<name>"}, and perhaps a "reason""#;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    session: Option<String>,
    caller: Option<String>,
    agent: Option<String>,
    #[serde(default)]
    reason: String,
}

#[derive(Debug, Serialize)]
pub struct Done {
    kind: &'static str,
    name: String,
    /// What began until then is over.
    at: String,
    /// A proxy that runs this snapshot, or a later one, knows.
    serial: u64,
}

#[derive(Debug, Deserialize)]
pub struct Page {
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
pub struct RevocationItem {
    kind: &'static str,
    name: String,
    at: String,
    age_seconds: u64,
    reason: String,
}

impl Asked {
    fn target(&self) -> Result<Target, Problem> {
        let named = [("session", &self.session), ("caller", &self.caller), ("agent", &self.agent)];
        let mut named = named.into_iter().filter_map(|(kind, name)| Some((kind, name.as_deref()?)));
        let (Some((kind, name)), None) = (named.next(), named.next()) else {
            return Err(Problem::bad_body("exactly one of `session`, `caller` and `agent` is needed", HINT));
        };
        Target::parse(kind, name).map_err(|bad| Problem::bad_body(format!("`{kind}`: {bad}"), HINT))
    }
}

pub async fn revoke(State(api): State<Api>, asked: Result<Json<Asked>, JsonRejection>) -> Result<Json<Done>, Problem> {
    let Json(asked) = asked.map_err(|bad| Problem::bad_body(bad.body_text(), HINT))?;
    let target = asked.target()?;
    let command = Command::Revoke { target: target.clone(), reason: asked.reason };
    let answered = api.writer.apply(command).await?;
    let at = match answered.answer {
        Answer::Revoked { at } => at,
        Answer::NotRevoked(full) => return Err(full_problem(full.to_string())),
        Answer::Noted | Answer::Taken { .. } | Answer::ReportAgain => return Err(Problem::stopping()),
    };
    let mut editions = api.views.base().follow();
    let says_so =
        editions.wait_for(|newest| since(&newest.built.snapshot.resources().revocations, &target) >= Some(at));
    let serial = match tokio::time::timeout(PUBLISHED_WITHIN, says_so).await {
        Ok(Ok(newest)) => newest.edition.revocations.changed.0,
        Ok(Err(_)) => return Err(Problem::stopping()),
        Err(_) => return Err(unpublished()),
    };
    Ok(Json(Done { kind: target.kind(), name: target.name(), at: rfc3339(moment(at)), serial }))
}

pub async fn list(
    State(api): State<Api>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Items<RevocationItem>>, Problem> {
    let Query(page) = page?;
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    let picture = api.writer.picture();
    let mut all: Vec<(&Target, u64, &str)> = picture.book.iter().collect();
    all.sort_by_key(|(_, at, _)| std::cmp::Reverse(*at));
    let now = SystemTime::now();
    let item = |(target, at, reason): (&Target, u64, &str)| RevocationItem {
        kind: target.kind(),
        name: target.name(),
        at: rfc3339(moment(at)),
        age_seconds: now.duration_since(moment(at)).unwrap_or_default().as_secs(),
        reason: reason.to_owned(),
    };
    Ok(Json(Items { items: all.into_iter().take(limit as usize).map(item).collect() }))
}

fn since(all: &Revocations, target: &Target) -> Option<u64> {
    match target {
        Target::Session(name) => all.sessions.get(name),
        Target::Caller(caller) => all.callers.get(caller),
        Target::Agent(agent) => all.agents.get(agent),
    }
    .copied()
}

fn moment(unix_seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(unix_seconds)
}

fn full_problem(detail: String) -> Problem {
    Problem {
        status: StatusCode::INSUFFICIENT_STORAGE,
        title: "no more can be revoked",
        detail,
        hint: "revoke the caller or the agent instead of one session after the other",
    }
}

fn unpublished() -> Problem {
    Problem {
        status: StatusCode::SERVICE_UNAVAILABLE,
        title: "the revocation is not published yet",
        detail: "it is noted, and no snapshot with it could be made in time".to_owned(),
        hint: "see /v1/events for why snapshots cannot be built; the next one has it",
    }
}
