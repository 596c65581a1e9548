//! Which endpoints of a pool a call may go to at all, before one of them is chosen.
//!
//! In: a pool, what was tried, the tool that is called, `now`. Out: the [`Fit`] that all that may be chosen have.
//! Order: what is up and answers well; then what is suspect; then where the tool fails; then the ejected, because if everything is ejected
//! the fault may be ours, and refusing all calls helps nobody. An endpoint whose circuit is open is never one of them.
//! Tiers: the first of which enough can be used, together with those before it. Zone: the own, if enough there can be used.
//! Room: where the number of calls is limited, those that have room, if any has.

use std::time::{Duration, Instant};

use outrigger_model::endpoint::EndpointState;

use crate::balance::tried::Tried;
use crate::health::circuit::State;
use crate::health::tools::Tool;
use crate::world::endpoint::{Endpoint, Pool};

/// How much an endpoint is wanted; less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
    Usable,
    Suspect,
    ToolFails,
    EjectedUp,
    EjectedSuspect,
}

/// What an endpoint has to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit<'a> {
    tried: &'a Tried,
    tool: Option<Tool>,
    now: Instant,
    grade: Grade,
    tier_max: u8,
    zone: Option<&'a str>,
    /// Fewer calls inside than this.
    room: Option<u32>,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// All that may be tried was.
    Nothing,
    /// The circuits of all that is left are open, the first of them for this much longer.
    Open(Duration),
}

/// Why an endpoint is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    Draining,
    CircuitOpen,
    Ejected,
    ToolPutAside,
    Suspect,
    OtherTier,
    OtherZone,
    Full,
}

impl Passed {
    /// For people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::CircuitOpen => "circuit open",
            Self::Ejected => "ejected",
            Self::ToolPutAside => "the tool fails there",
            Self::Suspect => "suspect",
            Self::OtherTier => "other tier",
            Self::OtherZone => "not in this zone",
            Self::Full => "full",
        }
    }

    /// What speaks against an endpoint whatever the others are like.
    pub(super) fn of(endpoint: &Endpoint, tool: Option<Tool>, now: Instant) -> Option<Self> {
        match grade(endpoint, tool, now) {
            None if endpoint.state == EndpointState::Draining => Some(Self::Draining),
            None => Some(Self::CircuitOpen),
            Some(Grade::Usable) => None,
            Some(Grade::Suspect) => Some(Self::Suspect),
            Some(Grade::ToolFails) => Some(Self::ToolPutAside),
            Some(Grade::EjectedUp | Grade::EjectedSuspect) => Some(Self::Ejected),
        }
    }
}

impl<'a> Fit<'a> {
    pub(super) fn of(pool: &'a Pool, tried: &'a Tried, tool: Option<Tool>, now: Instant) -> Result<Self, Missed> {
        let untried = || pool.endpoints.iter().filter(|endpoint| !tried.has(&endpoint.replica));
        let best = untried().filter_map(|endpoint| grade(endpoint, tool, now)).min();
        let Some(grade) = best else { return Err(missed(untried().map(AsRef::as_ref), now)) };
        let mut fit = Self { tried, tool, now, grade, tier_max: u8::MAX, zone: None, room: None };
        if grade == Grade::Usable {
            fit.prefer(pool);
        }
        if let Some(limit) = pool.policy.concurrency.per_endpoint {
            let roomy = Self { room: Some(limit), ..fit };
            if pool.endpoints.iter().any(|endpoint| roomy.is(endpoint)) {
                return Ok(roomy);
            }
        }
        Ok(fit)
    }

    pub(super) fn is(&self, endpoint: &Endpoint) -> bool {
        endpoint.tier <= self.tier_max
            && self.zone.is_none_or(|zone| endpoint.zone == zone)
            && self.room.is_none_or(|limit| endpoint.live.room.inside() < limit)
            && !self.tried.has(&endpoint.replica)
            && grade(endpoint, self.tool, self.now) == Some(self.grade)
    }

    /// Why `endpoint`, which was not tried, may not be chosen; none if it may.
    pub(super) fn passed(&self, endpoint: &Endpoint) -> Option<Passed> {
        if self.is(endpoint) {
            return None;
        }
        if grade(endpoint, self.tool, self.now) != Some(self.grade) {
            return Passed::of(endpoint, self.tool, self.now);
        }
        if endpoint.tier > self.tier_max {
            return Some(Passed::OtherTier);
        }
        let is_far = self.zone.is_some_and(|zone| endpoint.zone != zone);
        Some(if is_far { Passed::OtherZone } else { Passed::Full })
    }

    /// Whether nothing better was left than what is ejected.
    pub(super) fn is_panic(&self) -> bool {
        self.grade >= Grade::EjectedUp
    }

    fn prefer(&mut self, pool: &'a Pool) {
        let wanted = u32::from(pool.policy.panic_percent);
        // Of those that `belong`, enough can be used, and one of them was not tried.
        let enough = |fit: &Self, belongs: &dyn Fn(&Endpoint) -> bool| {
            let (mut all, mut usable, mut left) = (0, 0, false);
            for endpoint in pool.endpoints.iter().filter(|endpoint| belongs(endpoint)) {
                all += u32::from(endpoint.state != EndpointState::Draining);
                usable += u32::from(grade(endpoint, fit.tool, fit.now) == Some(Grade::Usable));
                left |= fit.is(endpoint);
            }
            left && usable * 100 >= all * wanted
        };
        let first = pool.preferences.tiers.iter().find(|tier| enough(self, &|endpoint| endpoint.tier == **tier));
        if let Some(tier) = first {
            self.tier_max = *tier;
        }
        if let Some(zone) = pool.preferences.zone.as_deref() {
            let tier_max = self.tier_max;
            if enough(self, &|endpoint| endpoint.zone == zone && endpoint.tier <= tier_max) {
                self.zone = Some(zone);
            }
        }
    }
}

/// None: nothing new goes there.
fn grade(endpoint: &Endpoint, tool: Option<Tool>, now: Instant) -> Option<Grade> {
    let live = &endpoint.live;
    if matches!(live.circuit_state(now), State::Open(_)) {
        return None;
    }
    let fails = tool.is_some_and(|tool| live.tools.is_avoided(tool, now));
    match (endpoint.state, live.is_ejected(now)) {
        (EndpointState::Draining, _) => None,
        (EndpointState::Up, false) if !fails => Some(Grade::Usable),
        (EndpointState::Suspect, false) if !fails => Some(Grade::Suspect),
        (EndpointState::Up | EndpointState::Suspect, false) => Some(Grade::ToolFails),
        (EndpointState::Up, true) => Some(Grade::EjectedUp),
        (EndpointState::Suspect, true) => Some(Grade::EjectedSuspect),
    }
}

fn missed<'a>(untried: impl Iterator<Item = &'a Endpoint>, now: Instant) -> Missed {
    let waits = untried.filter(|endpoint| endpoint.state != EndpointState::Draining).filter_map(|endpoint| {
        match endpoint.live.circuit_state(now) {
            State::Open(left) => Some(left),
            State::Closed | State::HalfOpen => None,
        }
    });
    waits.min().map_or(Missed::Nothing, Missed::Open)
}
