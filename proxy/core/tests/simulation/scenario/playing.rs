//! One call of a scenario, attempt by attempt.
//!
//! In: what the core asks of its shell. Out: what replicas do, and a trace in which every step was compared with the model.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_model::pool::Balance;
use outrigger_model::route::Affinity;
use outrigger_proxy_core::again::Spent;
use outrigger_proxy_core::health::circuit::State;
use outrigger_proxy_core::outcome::Outcome;
use outrigger_proxy_core::world::endpoint::Endpoint;

use super::{Flying, Play, at};
use crate::drive::{Attempted, Shell};
use crate::model::{self, Kind, Shown};
use crate::promises::Trace;
use crate::script::Behaviour;
use crate::stage;

/// The pause before a repetition, and the longest.
const PAUSE: (u64, u64) = (25, 250);

/// A call that is played.
pub(super) struct Playing<'a> {
    pub play: &'a mut Play,
    pub kind: Kind,
    /// It is known where its session lives.
    pub bound: bool,
    /// How things stand when it is made.
    pub behaviours: &'a [Behaviour],
    pub up: &'a [usize],
    pub trace: Trace,
    /// The attempt under way.
    pub shown: Option<Shown>,
}

impl Shell for Playing<'_> {
    fn now(&self) -> Instant {
        self.play.now()
    }

    fn chance(&mut self) -> u64 {
        self.play.chance.next()
    }

    fn attempt(&mut self, endpoint: &Arc<Endpoint>) -> Attempted {
        let (kind, number) = (self.kind, stage::number(&endpoint.replica));
        self.check_pick(number);
        let Self { play, trace, .. } = self;
        play.replicas[number].enter(&play.stage.rules, play.ms);
        trace.attempts.push(number);
        let (guard, began) = (endpoint.live.enter(), play.ms);
        play.replicas[number].in_flight += 1;
        if play.crowded && play.chance.one_in(6) {
            trace.nests = true;
            self.another_call();
        }
        let Self { play, trace, .. } = self;
        let behaviour = self.behaviours[number];
        play.ms += behaviour.takes();
        let is_stranger = matches!(kind, Kind::InSession(session) if play.homes[session] != Some(number));
        let outcome = match is_stranger && behaviour.serves() {
            true => Outcome::Answered(http::StatusCode::NOT_FOUND),
            false => behaviour.outcome(),
        };
        if behaviour.runs() && !is_stranger {
            trace.ran.push(number);
        }
        self.shown = Some(Shown { behaviour, is_stranger, began, tool: kind.tool() });
        let mut minted = None;
        if outcome == Outcome::Answered(http::StatusCode::OK) {
            let until = play.ms + play.chance.next() % 1_500;
            let endpoint = Arc::clone(endpoint);
            play.flying.push(Flying { began, until, at: number, endpoint, _in_flight: guard });
            if kind == Kind::Initialize {
                minted = Some(format!("s-{}", play.homes.len()).into_bytes());
                play.homes.push(Some(number));
            }
        } else {
            play.replicas[number].in_flight -= 1;
        }
        let tool_failed = behaviour == Behaviour::Sick && !is_stranger && kind.tool().is_some();
        let asks_later = behaviour == Behaviour::Limits;
        Attempted { outcome, asks_later, tool_failed, began: at(began), minted }
    }

    /// What is known of it is what docs say.
    fn recorded(&mut self, endpoint: &Endpoint) {
        let Self { play, trace, .. } = self;
        let (number, ms) = (stage::number(&endpoint.replica), play.ms);
        if let Some(shown) = self.shown.take() {
            model::learn(&mut play.replicas, &play.stage.rules, number, shown, ms);
        }
        let (replica, live) = (&play.replicas[number], &endpoint.live);
        trace.check(replica.is_ejected(ms) == live.is_ejected(at(ms)), || {
            format!("who refuses is ejected, and nobody else: {number} is {}", live.is_ejected(at(ms)))
        });
        let state = live.circuit_state(at(ms));
        let expected = (replica.is_closed(), replica.is_open(ms));
        trace.check(expected == (state == State::Closed, matches!(state, State::Open(_))), || {
            format!("a circuit opens after as many bad answers in a row, and closes: {number} is {state:?}")
        });
    }

    fn goes_on(&mut self, outcome: Outcome, next: Result<Duration, Spent>, counts: bool) {
        let Self { play, trace, .. } = self;
        let (rules, ms) = (play.stage.rules, play.ms);
        let can_be_tried = |at: &&usize| !trace.attempts.contains(at) && !play.replicas[**at].is_open(ms);
        let is_left = trace.attempts.len() < usize::from(rules.attempts) && self.up.iter().any(|at| can_be_tried(&at));
        let expected = match (outcome.passes_on() || !counts, is_left) {
            (true, _) => Ok(()),
            (false, false) => Err(Spent::Endpoints),
            (false, true) if play.budget.take(&rules, ms) => Ok(()),
            (false, true) => Err(Spent::Budget),
        };
        let pause = next.unwrap_or_default().as_millis() as u64;
        let longest = (PAUSE.0 << (trace.attempts.len() - 1)).min(PAUSE.1);
        let (calls, repeated) = play.budget.lately(ms);
        let is_loaded = rules.budget_per_second_min == 0 && next.is_ok() && expected.is_ok() && !outcome.passes_on();
        trace.check(!is_loaded || !counts || repeated * 5 <= calls, || {
            format!("a pool gets a fifth more at most: {repeated} beside {calls}")
        });
        let holds = next.map(drop) == expected && pause <= longest;
        trace.check(holds, || format!("a call is sent again within its budget: {next:?}, not {expected:?}"));
        play.ms += pause;
    }
}

impl Playing<'_> {
    /// What is wrong with where a call goes that nothing holds, or with any that goes to one that is left alone.
    fn check_pick(&mut self, number: usize) {
        let Self { play, trace, kind, bound, up, .. } = self;
        let ms = play.ms;
        trace.check(!play.replicas[number].is_open(ms), || format!("an open circuit takes no call: {number}"));
        if *bound {
            return;
        }
        let tiers: Vec<u8> = play.stage.replicas.iter().map(|replica| replica.tier).collect();
        let left: Vec<usize> = up.iter().copied().filter(|at| !trace.attempts.contains(at)).collect();
        let tool = kind.tool();
        let fit = model::fit(&play.replicas, &tiers, up, &left, tool, ms);
        // Only what is searched for may be at one that drains.
        let is_last = fit.is_empty() && matches!(kind, Kind::InSession(_));
        trace.check(fit.contains(&number) || is_last, || format!("{number} is picked, and not one of {fit:?}"));
        if play.stage.affinity == Affinity::Auto {
            return;
        }
        play.chosen[number] += usize::from(trace.attempts.is_empty());
        let least = fit.iter().map(|at| play.replicas[*at].in_flight).min().unwrap_or_default();
        let mine = play.replicas[number].in_flight;
        let is_least = play.stage.balance != Balance::LeastRequest || mine <= least || is_last;
        trace.check(is_least, || format!("{number} is picked with {mine} calls, and another one has {least}"));
    }

    /// A call comes while this one is under way.
    fn another_call(&mut self) {
        let kind = self.play.chance.of(&[Kind::List, Kind::Call, Kind::Repeatable]);
        // One at a time is enough.
        self.play.crowded = false;
        let called = self.play.call(kind, false);
        self.play.crowded = true;
        self.trace.check(called.is_ok(), || called.err().unwrap_or_default());
    }
}
