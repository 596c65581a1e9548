//! `POST /v1/rollouts` has some proxies try a document; `GET /v1/rollouts/current` says how that stands, `POST` of `widen`, `promote` and
//! `abort` beneath it moves it.
//!
//! In: a document with author, reason, steps and the rules of the gate, and `If-Match` with the number of the intent that the sender saw run.
//! Out: the rollout, and what both groups do since the step began.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use outrigger_control_core::rollout::compare::Group;
use outrigger_control_core::rollout::gate::{Ratio, mean};
use outrigger_control_core::rollout::plan::{Gate, PARTS};
use outrigger_wire::time::rfc3339;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::http::publish::{expected, sent};
use crate::http::refused::Refused;
use crate::intent::desk::Asked;
use crate::rollout::desk::{Manner, NotDone, Report};
use crate::writer::{NotMoved, NotPublished};

const HINT: &str = r#"send {"document": <YAML as text, or an object>, "author": …, "reason": …}, and perhaps "steps": [1, 100], "labels": "track=canary", "manual": true"#;
const HINT_MOVE: &str = r#"send {"author": …}, and to abort perhaps a "reason""#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    document: Value,
    author: String,
    reason: String,
    #[serde(default)]
    steps: Option<Vec<u8>>,
    #[serde(default)]
    labels: Option<String>,
    #[serde(default)]
    manual: bool,
    #[serde(default)]
    soak_seconds: Option<u64>,
    #[serde(default)]
    patience_seconds: Option<u64>,
    #[serde(default)]
    error_ratio_max_increase: Option<f64>,
    #[serde(default)]
    min_calls: Option<u64>,
    #[serde(default)]
    slow_factor_max: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moving {
    author: String,
    #[serde(default)]
    reason: String,
}

#[derive(Debug, Serialize)]
pub struct RolloutItem {
    phase: &'static str,
    why: Option<String>,
    author: String,
    reason: String,
    base: u64,
    started_at: String,
    step: usize,
    steps: usize,
    share: u8,
    labels: Option<String>,
    lead: Option<String>,
    manual: bool,
    serial: u64,
    ended: Option<u64>,
    step_seconds: Option<f64>,
    waits_for: Option<String>,
    gate: GateItem,
    canary: Option<GroupItem>,
    control: Option<GroupItem>,
}

#[derive(Debug, Serialize)]
struct GateItem {
    soak_seconds: u64,
    patience_seconds: u64,
    error_ratio_max_increase: f64,
    min_calls: u64,
    slow_factor_max: Option<f64>,
}

#[derive(Debug, Serialize)]
struct GroupItem {
    proxies: u64,
    applied: u64,
    calls: u64,
    failures: u64,
    ratio: f64,
    mean_ms: Option<f64>,
    nacks: u64,
    refusal: Option<String>,
    serial_oldest: Option<u64>,
    serial_newest: Option<u64>,
}

type Answer = Result<Json<RolloutItem>, Refused>;

pub async fn start(
    State(api): State<Api>,
    headers: HeaderMap,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<(StatusCode, Json<RolloutItem>), Refused> {
    let Json(wanted) = wanted.map_err(|bad| Refused::body(&bad, HINT))?;
    let expected = expected(&headers).ok_or_else(|| Refused::unconditional(api.desk.current()))?;
    let manner = Manner {
        steps: wanted.steps,
        labels: wanted.labels,
        is_manual: wanted.manual,
        soak: wanted.soak_seconds.map(Duration::from_secs),
        patience: wanted.patience_seconds.map(Duration::from_secs),
        error_ratio_max_increase: wanted.error_ratio_max_increase,
        min_calls: wanted.min_calls,
        slow_factor_max: wanted.slow_factor_max,
    };
    let asked = Asked { author: wanted.author, reason: wanted.reason, expected };
    let report = api.rollouts.start(&sent(wanted.document)?, asked, manner).await?;
    Ok((StatusCode::CREATED, Json(item(&report))))
}

pub async fn current(State(api): State<Api>) -> Answer {
    Ok(Json(item(&api.rollouts.current()?)))
}

pub async fn widen(State(api): State<Api>, moving: Result<Json<Moving>, JsonRejection>) -> Answer {
    let Moving { author, .. } = moved(moving)?;
    Ok(Json(item(&api.rollouts.widen(&author).await?)))
}

pub async fn promote(State(api): State<Api>, moving: Result<Json<Moving>, JsonRejection>) -> Answer {
    let Moving { author, .. } = moved(moving)?;
    Ok(Json(item(&api.rollouts.promote(&author).await?)))
}

pub async fn abort(State(api): State<Api>, moving: Result<Json<Moving>, JsonRejection>) -> Answer {
    let Moving { author, reason } = moved(moving)?;
    Ok(Json(item(&api.rollouts.abort(&author, &reason).await?)))
}

fn moved(moving: Result<Json<Moving>, JsonRejection>) -> Result<Moving, Refused> {
    moving.map(|Json(moving)| moving).map_err(|bad| Refused::body(&bad, HINT_MOVE))
}

fn item(Report { rollout, standing }: &Report) -> RolloutItem {
    let lane = rollout.plan.membership(rollout.step);
    let groups = standing.as_ref().map(|standing| &standing.groups);
    RolloutItem {
        phase: rollout.phase.as_str(),
        why: rollout.phase.why().map(str::to_owned),
        author: rollout.candidate.author.clone(),
        reason: rollout.candidate.reason.clone(),
        base: rollout.candidate.base,
        started_at: rfc3339(rollout.started_at),
        step: rollout.step + 1,
        steps: rollout.plan.steps(),
        share: lane.share,
        labels: lane.selector.map(|selector| selector.to_string()),
        lead: rollout.lead.as_ref().map(ToString::to_string),
        manual: rollout.plan.is_manual,
        serial: rollout.since.step.0,
        ended: rollout.ended.map(|serial| serial.0),
        step_seconds: standing.as_ref().map(|standing| rounded(standing.lasts.as_secs_f64())),
        waits_for: standing.as_ref().filter(|_| !rollout.is_over()).and_then(|standing| standing.waits_for.clone()),
        gate: gate(&rollout.plan.gate),
        canary: groups.map(|groups| group(&groups.canary)),
        control: groups.map(|groups| group(&groups.control)),
    }
}

fn gate(gate: &Gate) -> GateItem {
    GateItem {
        soak_seconds: gate.soak.as_secs(),
        patience_seconds: gate.patience.as_secs(),
        error_ratio_max_increase: f64::from(gate.error_increase_max) / PARTS as f64,
        min_calls: gate.calls_min,
        slow_factor_max: gate.slow_factor_max.map(|factor| f64::from(factor) / 100.0),
    }
}

fn group(group: &Group) -> GroupItem {
    let Group { proxies, applied, refused, refusal, tally, serials } = group;
    GroupItem {
        proxies: *proxies,
        applied: *applied,
        calls: tally.calls,
        failures: tally.failed,
        ratio: Ratio::of(tally).share(),
        mean_ms: mean(tally).map(|mean| rounded(mean.as_secs_f64() * 1_000.0)),
        nacks: *refused,
        refusal: refusal.clone(),
        serial_oldest: serials.map(|(oldest, _)| oldest.0),
        serial_newest: serials.map(|(_, newest)| newest.0),
    }
}

/// To thousandths.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

impl From<NotDone> for Refused {
    fn from(not: NotDone) -> Self {
        let detail = not.to_string();
        let problem = |status, title, hint| Self::from(Problem { status, title, detail, hint });
        match not {
            NotDone::Candidate(refusal) => refusal.into(),
            NotDone::Move(NotMoved::NotPublished(NotPublished::Moved { current, expected })) => {
                crate::intent::desk::Refusal::Moved { current, expected }.into()
            }
            NotDone::Plan(_) | NotDone::Labels(_) => {
                problem(StatusCode::BAD_REQUEST, "the rollout cannot be planned", HINT)
            }
            NotDone::Move(NotMoved::Signature(_)) => {
                problem(StatusCode::BAD_REQUEST, "the author is needed", HINT_MOVE)
            }
            NotDone::Move(NotMoved::None) => problem(
                StatusCode::NOT_FOUND,
                "there is no rollout under way",
                "start one: outrigger snapshot rollout start -f FILE --reason TEXT",
            ),
            NotDone::Move(NotMoved::NotPublished(NotPublished::Storing)) => problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "nothing was done",
                "see control's log for why the store fails; what runs goes on meanwhile",
            ),
            NotDone::Move(NotMoved::NotPublished(NotPublished::NotLeading(not_leading))) => {
                Problem::not_leading(not_leading.to_string()).into()
            }
            NotDone::Move(NotMoved::Stopped | NotMoved::NotPublished(NotPublished::Stopped)) => {
                Problem::stopping().into()
            }
            NotDone::Move(
                NotMoved::UnderWay
                | NotMoved::Stale
                | NotMoved::Unchanged(_)
                | NotMoved::NotStarted(_)
                | NotMoved::NotWidened(_),
            ) => problem(
                StatusCode::CONFLICT,
                "the rollout is not where that can be done",
                "see GET /v1/rollouts/current; abort ends it, promote has everybody get the candidate",
            ),
        }
    }
}
