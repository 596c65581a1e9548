//! What is promised of a call, and what it did.
//!
//! In: the trace of a call and what the model says of it. Out: the first promise that is broken.

use http::StatusCode;

use crate::drive::End;
use crate::model::{Kind, Must};

/// What one call did.
#[derive(Debug, Default)]
pub struct Trace {
    pub attempts: Vec<usize>,
    /// Replicas at which it ran, or may have.
    pub ran: Vec<usize>,
    /// Another call was made while it was under way.
    pub nests: bool,
    pub wrong: Option<String>,
}

/// What is known of it beside.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    pub kind: Kind,
    /// It is known where its session lives.
    pub bound: bool,
    pub home: Option<usize>,
    pub must: Must,
    pub attempts_max: usize,
}

impl Trace {
    /// Notes what is wrong, if nothing was before.
    pub fn check(&mut self, holds: bool, promise: impl FnOnce() -> String) {
        if !holds && self.wrong.is_none() {
            self.wrong = Some(promise());
        }
    }

    /// The first promise that the call broke.
    pub fn broken(&self, known: Known, end: &End) -> Option<&'static str> {
        let Self { attempts, ran, .. } = self;
        let Known { kind, bound, home, must, attempts_max } = known;
        let is_free = !matches!(kind, Kind::InSession(_));
        let succeeded = *end == End::Passed(StatusCode::OK);
        let repeated = (1..attempts.len()).any(|at| attempts[..at].contains(&attempts[at]));
        let says_it_may_have_run = match end {
            End::Refused(refusal) => refusal.shape(None).may_have_run,
            End::Passed(_) => true,
        };
        let must_succeed = must == Must::Succeed && !self.nests;
        let promises = [
            (repeated, "no replica is tried twice"),
            (is_free && attempts.len() > attempts_max, "attempts are bounded"),
            (bound && attempts.len() > 1, "a session that is known is asked at one replica"),
            (!kind.repeats() && ran.len() > 1, "what may act runs once"),
            (!is_free && ran.iter().any(|at| Some(*at) != home), "a session runs at its replica only"),
            (succeeded && ran.last() != attempts.last(), "an answer is of who ran the call"),
            (!ran.is_empty() && !says_it_may_have_run, "what may have run is told"),
            (must_succeed && !succeeded, "a call succeeds while a replica is left for it"),
            (must == Must::Fail && succeeded, "nobody answers who cannot"),
        ];
        promises.iter().find(|(broken, _)| *broken).map(|(_, promise)| *promise)
    }
}
