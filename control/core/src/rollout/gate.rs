//! Whether a step of a rollout is over, and whether the rollout is.
//!
//! In: the rules of the gate, both groups, how long the step lasts. Out: a [`Verdict`] with its reason.
//! Invariant: whoever waits long enough is told why it waited; what speaks against the candidate is found before what speaks for waiting.

use std::fmt;
use std::time::Duration;

use outrigger_model::tally::Tally;

use super::compare::{Group, Groups};
use super::plan::{Gate, PARTS};

/// What the gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Wait(Why),
    /// It waited for as long as it may.
    Hold(Why),
    Abort(Why),
    Pass,
}

/// Why a step is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    Soaking { left: Duration },
    Nobody,
    Unapplied { applied: u64, proxies: u64 },
    FewCalls { calls: u64, min: u64 },
    NothingToCompare,
    Refused(String),
    Failing { canary: Ratio, control: Ratio },
    Slow { canary: Duration, control: Duration },
}

/// Failed calls among all, in parts of [`PARTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio(u64);

impl Ratio {
    pub fn of(tally: &Tally) -> Self {
        Self(tally.failed.saturating_mul(PARTS).checked_div(tally.calls).unwrap_or(0))
    }

    /// 0 to 1.
    pub fn share(self) -> f64 {
        self.0 as f64 / PARTS as f64
    }
}

/// `earlier` is what the control group did on earlier steps: it is asked where there is too little of it now.
pub fn judge(gate: &Gate, groups: &Groups, earlier: &Tally, lasts: Duration) -> Verdict {
    let Groups { canary, control } = groups;
    let control = match control.tally {
        tally if tally.calls >= gate.calls_min.max(1) => tally,
        tally => tally.and(earlier),
    };
    if let Some(why) = against(gate, canary, &control) {
        return Verdict::Abort(why);
    }
    match missing(gate, canary, &control) {
        Some(why) if lasts >= gate.patience.max(gate.soak) => Verdict::Hold(why),
        Some(why) => Verdict::Wait(why),
        None if lasts < gate.soak => Verdict::Wait(Why::Soaking { left: gate.soak.saturating_sub(lasts) }),
        None => Verdict::Pass,
    }
}

/// What speaks against the candidate.
fn against(gate: &Gate, canary: &Group, control: &Tally) -> Option<Why> {
    if let Some(refusal) = &canary.refusal {
        return Some(Why::Refused(refusal.clone()));
    }
    let tally = &canary.tally;
    let (ours, theirs) = (Ratio::of(tally), Ratio::of(control));
    if tally.calls >= gate.calls_min.max(1) && ours.0 > theirs.0 + u64::from(gate.error_increase_max) {
        return Some(Why::Failing { canary: ours, control: theirs });
    }
    let factor = gate.slow_factor_max?;
    if tally.begun < gate.calls_min.max(1) || control.begun < gate.calls_min.max(1) {
        return None;
    }
    let (ours, theirs) = (mean(tally)?, mean(control)?);
    let is_slow = ours.as_micros().saturating_mul(100) > theirs.as_micros().saturating_mul(u128::from(factor));
    is_slow.then_some(Why::Slow { canary: ours, control: theirs })
}

/// What is not known yet.
fn missing(gate: &Gate, canary: &Group, control: &Tally) -> Option<Why> {
    let Group { proxies, applied, tally, .. } = canary;
    if *proxies == 0 {
        return Some(Why::Nobody);
    }
    if applied < proxies {
        return Some(Why::Unapplied { applied: *applied, proxies: *proxies });
    }
    if tally.calls < gate.calls_min {
        return Some(Why::FewCalls { calls: tally.calls, min: gate.calls_min });
    }
    let is_comparable = gate.slow_factor_max.is_none() || control.begun >= gate.calls_min.max(1);
    (!is_comparable).then_some(Why::NothingToCompare)
}

/// To the first byte; of calls whose answer began.
pub fn mean(tally: &Tally) -> Option<Duration> {
    tally.begun_micros.checked_div(tally.begun).map(Duration::from_micros)
}

impl Why {
    /// One word of a closed list.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Soaking { .. } => "soaking",
            Self::Nobody => "nobody",
            Self::Unapplied { .. } => "unapplied",
            Self::FewCalls { .. } => "few_calls",
            Self::NothingToCompare => "nothing_to_compare",
            Self::Refused(_) => "refused",
            Self::Failing { .. } => "failing",
            Self::Slow { .. } => "slow",
        }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{:02} %", self.0 / 100, self.0 % 100)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Soaking { left } => write!(out, "the step lasts {} s more", left.as_millis().div_ceil(1_000)),
            Self::Nobody => out.write_str("no proxy of the lane is connected"),
            Self::Unapplied { applied, proxies } => {
                write!(out, "{applied} of {proxies} proxies of the lane run its snapshot")
            }
            Self::FewCalls { calls, min } => write!(out, "the lane made {calls} calls; {min} are needed to compare"),
            Self::NothingToCompare => out.write_str("the control group made too few calls to compare times with"),
            Self::Refused(refusal) => out.write_str(refusal),
            Self::Failing { canary, control } => {
                write!(out, "{canary} of the calls of the lane fail, and {control} of those of the control group")
            }
            Self::Slow { canary, control } => write!(
                out,
                "the lane waits {} ms for an answer, and the control group {} ms",
                canary.as_millis(),
                control.as_millis()
            ),
        }
    }
}

#[cfg(test)]
mod tests;
