//! What an attempt tells about its endpoint: whether it can be reached, whether it answers well, whether one of its tools does not.
//!
//! In: how the attempt ended, when it began, what it called. Out: [`Learnt`], what changed by it.
//! Rule: who refuses connections is ejected. Whose answers are lost, late, broken or 5xx has its circuit opened after some of them; each
//! also counts against the tool that was called, and so does a result that says of itself that the server failed.
//! Never here: what the caller is told.

use std::time::{Duration, Instant};

use http::StatusCode;

use crate::health::circuit::Turn;
use crate::health::tools::Tool;
use crate::outcome::{NotReached, Outcome};
use crate::world::endpoint::Endpoint;

/// An attempt that is over, or whose answer has begun.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    pub outcome: Outcome,
    pub began: Instant,
    pub tool: Option<Tool>,
    /// The answer is good by its status, and says that the tool failed.
    pub tool_failed: bool,
}

/// What changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Learnt {
    /// The endpoint is ejected from now on, for so long.
    pub ejected: Option<Duration>,
    pub circuit: Option<Turn>,
    pub tool_put_aside: bool,
}

/// What an outcome says of the endpoint.
enum Said {
    Unreachable,
    /// `always`: it is no accident that several calls share.
    Bad {
        always: bool,
    },
    Good,
    Nothing,
}

impl Endpoint {
    /// Learns from one attempt.
    pub fn record(&self, ended: &Ended, now: Instant) -> Learnt {
        let live = &self.live;
        if let Outcome::Answered(_) = ended.outcome {
            live.reached();
        }
        match said(ended.outcome) {
            Said::Unreachable => {
                let was_ejected = live.is_ejected(now);
                let outlier = &self.terms.policy.outlier;
                self.terms.live.unreachable(live, outlier, self.terms.ejected_max(), now);
                Learnt { ejected: live.ejected_for(now).filter(|_| !was_ejected), ..Learnt::default() }
            }
            Said::Bad { always } => {
                let breaker = &self.terms.policy.breaker;
                let circuit = live.circuit().failed(breaker, live.micros(ended.began), always, live.micros(now));
                Learnt { circuit, tool_put_aside: self.tool_failed(ended.tool, now), ..Learnt::default() }
            }
            Said::Good => {
                let circuit = live.circuit().succeeded(live.micros(ended.began));
                let tool_put_aside = match (ended.tool, ended.tool_failed) {
                    (tool, true) => self.tool_failed(tool, now),
                    (Some(tool), false) => {
                        live.tools.succeeded(tool);
                        false
                    }
                    (None, false) => false,
                };
                Learnt { circuit, tool_put_aside, ..Learnt::default() }
            }
            Said::Nothing => Learnt::default(),
        }
    }

    fn tool_failed(&self, tool: Option<Tool>, now: Instant) -> bool {
        let Some(tool) = tool else { return false };
        self.terms.live.saw_tool_fail();
        self.live.tools.failed(tool, &self.terms.policy, now)
    }
}

const fn said(outcome: Outcome) -> Said {
    match outcome {
        Outcome::ConnectFailed | Outcome::NotReached(NotReached::AgentUnreachable | NotReached::UnknownReplica) => {
            Said::Unreachable
        }
        Outcome::TimedOut => Said::Bad { always: true },
        Outcome::Lost | Outcome::BrokeOff => Said::Bad { always: false },
        Outcome::Answered(status) => match status {
            StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Said::Bad { always: false },
            _ => Said::Good,
        },
        // What its proxy says of itself, what the caller does, and how long a whole call takes say nothing about the endpoint.
        Outcome::NotReached(_) | Outcome::TookTooLong | Outcome::CutOff(_) | Outcome::CallerLeft => Said::Nothing,
    }
}

#[cfg(test)]
mod tests;
