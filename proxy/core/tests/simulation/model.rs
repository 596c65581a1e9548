//! The plain model: what is known of replicas and sessions by whoever reads docs, and what a call may therefore do.
//!
//! In: what each replica does at the moment of a call, and what happened before. Out: who may be picked first, and whether the call must succeed.
//! Never here: anything of the code under test but its words.

use crate::script::Behaviour;

/// Most attempts of one call that goes anywhere.
pub const ATTEMPTS_MAX: usize = 3;
const EJECTED_FIRST: u64 = 1_000;
const EJECTED_MAX: u64 = 30_000;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Running it twice changes nothing.
    List,
    /// It may act.
    Call,
    /// It opens a session; one that nobody hears of is no harm.
    Initialize,
    /// It may act, and belongs to this session.
    InSession(usize),
}

/// What must be true of how a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Must {
    Succeed,
    Fail,
    Either,
}

/// One replica, as the calls so far showed it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Replica {
    /// Until when it is left alone after failures, and for how long it was.
    failing: Option<(u64, u64)>,
    pub in_flight: usize,
}

impl Replica {
    pub fn is_ejected(&self, ms: u64) -> bool {
        self.failing.is_some_and(|(until, _)| ms < until)
    }

    /// What an attempt that ended at `ms` shows; `answered` by whomever.
    pub fn shows(&mut self, behaviour: Behaviour, answered: bool, ms: u64) {
        if answered {
            self.failing = None;
        } else if matches!(behaviour, Behaviour::Refuses | Behaviour::Unreachable) && !self.is_ejected(ms) {
            let time = self.failing.map_or(EJECTED_FIRST, |(_, time)| (time * 2).min(EJECTED_MAX));
            self.failing = Some((ms + time, time));
        }
    }
}

/// Who may be tried first of those that take what is new: those that are not ejected; all if all are.
pub fn fit(replicas: &[Replica], up: &[usize], ms: u64) -> Vec<usize> {
    let well: Vec<usize> = up.iter().copied().filter(|at| !replicas[*at].is_ejected(ms)).collect();
    if well.is_empty() { up.to_vec() } else { well }
}

/// What must become of a call that may go to any of `up`.
pub fn of_free(kind: Kind, up: &[usize], behaviours: &[Behaviour]) -> Must {
    let count = |wanted: &dyn Fn(Behaviour) -> bool| up.iter().filter(|at| wanted(behaviours[**at])).count();
    let repeats = matches!(kind, Kind::List | Kind::Initialize);
    let goes_on = |behaviour: Behaviour| match behaviour {
        Behaviour::Well | Behaviour::Slow => false,
        Behaviour::Loses | Behaviour::Unavailable => repeats,
        _ => true,
    };
    let well = count(&|behaviour| behaviour == Behaviour::Well);
    let passed_over = count(&goes_on);
    let ends_it = up.len() - well - passed_over;
    match (well, ends_it) {
        (0, _) => Must::Fail,
        (_, 0) if passed_over < ATTEMPTS_MAX => Must::Succeed,
        _ => Must::Either,
    }
}

/// What must become of a call of a session that lives at `home`, if it lives. `bound`: it is known where.
pub fn in_session(home: Option<usize>, bound: bool, behaviours: &[Behaviour]) -> Must {
    let Some(home) = home else { return Must::Fail };
    let is_asked_on = |behaviour: &Behaviour| *behaviour == Behaviour::Well || !behaviour.runs();
    match behaviours[home] {
        Behaviour::Well if bound || behaviours.iter().all(is_asked_on) => Must::Succeed,
        Behaviour::Well => Must::Either,
        _ => Must::Fail,
    }
}
