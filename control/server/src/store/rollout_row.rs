//! The newest rollout as a row: JSON, and a hash over it.
//!
//! In: a [`Rollout`], or a row as it was read. Out: the other; none for a row that cannot be believed.
//! Invariant: no text of any kind shows the document, which may hold secrets, and a row that is not believed is not kept to be looked at.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outrigger_control_core::rollout::compare::Since;
use outrigger_control_core::rollout::course::{Candidate, Phase, Rollout};
use outrigger_control_core::rollout::plan::{Gate, Plan};
use outrigger_model::digest::Digest;
use outrigger_model::name::NodeId;
use outrigger_model::resource::Serial;
use outrigger_model::tally::Tally;
use serde::{Deserialize, Serialize};

/// What is said of it wherever it is found damaged.
pub const TABLE: &str = "rollout";

#[derive(sqlx::FromRow)]
pub struct RolloutRow {
    pub body: String,
    pub hash: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    document: String,
    author: String,
    reason: String,
    base: u64,
    selector: Option<String>,
    shares: Vec<u8>,
    soak_ms: u64,
    patience_ms: u64,
    error_increase_max: u16,
    calls_min: u64,
    slow_factor_max: Option<u32>,
    is_manual: bool,
    step: usize,
    lead: Option<String>,
    phase: String,
    why: String,
    started_ms: u64,
    step_ms: u64,
    since_rollout: u64,
    since_step: u64,
    ended: Option<u64>,
    /// Calls, failed, begun, microseconds.
    earlier: [u64; 4],
}

impl RolloutRow {
    pub fn of(rollout: &Rollout) -> Result<Self, serde_json::Error> {
        let Rollout { candidate, plan, step, lead, phase, started_at, step_at, since, ended, earlier } = rollout;
        let Candidate { document, author, reason, base } = candidate.clone();
        let Gate { soak, patience, error_increase_max, calls_min, slow_factor_max } = plan.gate;
        let body = serde_json::to_string(&Body {
            document,
            author,
            reason,
            base,
            selector: plan.selector().map(ToString::to_string),
            shares: plan.shares().to_vec(),
            soak_ms: millis(soak),
            patience_ms: millis(patience),
            error_increase_max,
            calls_min,
            slow_factor_max,
            is_manual: plan.is_manual,
            step: *step,
            lead: lead.as_ref().map(ToString::to_string),
            phase: phase.as_str().to_owned(),
            why: phase.why().unwrap_or_default().to_owned(),
            started_ms: millis(started_at.duration_since(UNIX_EPOCH).unwrap_or_default()),
            step_ms: millis(step_at.duration_since(UNIX_EPOCH).unwrap_or_default()),
            since_rollout: since.rollout.0,
            since_step: since.step.0,
            ended: ended.map(|serial| serial.0),
            earlier: [earlier.calls, earlier.failed, earlier.begun, earlier.begun_micros],
        })?;
        let hash = Digest::of(body.as_bytes()).as_bytes().to_vec();
        Ok(Self { body, hash })
    }

    pub fn rollout(self) -> Option<Rollout> {
        if Digest::of(self.body.as_bytes()).as_bytes().as_slice() != self.hash {
            return None;
        }
        let body: Body = serde_json::from_str(&self.body).ok()?;
        let plan = plan(&body)?;
        let [calls, failed, begun, begun_micros] = body.earlier;
        Some(Rollout {
            plan,
            step: body.step,
            lead: body.lead.map(|lead| NodeId::new(&lead)).transpose().ok()?,
            phase: phase(&body.phase, body.why)?,
            started_at: moment(body.started_ms),
            step_at: moment(body.step_ms),
            since: Since { rollout: Serial(body.since_rollout), step: Serial(body.since_step) },
            ended: body.ended.map(Serial),
            earlier: Tally { since: 0, calls, failed, begun, begun_micros },
            candidate: Candidate { document: body.document, author: body.author, reason: body.reason, base: body.base },
        })
    }
}

fn plan(body: &Body) -> Option<Plan> {
    let gate = Gate {
        soak: Duration::from_millis(body.soak_ms),
        patience: Duration::from_millis(body.patience_ms),
        error_increase_max: body.error_increase_max,
        calls_min: body.calls_min,
        slow_factor_max: body.slow_factor_max,
    };
    let selector = body.selector.as_deref().map(str::parse).transpose().ok()?;
    Plan::new(selector, Some(body.shares.clone()), gate, body.is_manual).ok()
}

fn phase(text: &str, why: String) -> Option<Phase> {
    match text {
        "running" => Some(Phase::Running),
        "held" => Some(Phase::Held(why)),
        "promoted" => Some(Phase::Promoted),
        "aborted" => Some(Phase::Aborted(why)),
        _ => None,
    }
}

fn moment(unix_ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(unix_ms)
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
