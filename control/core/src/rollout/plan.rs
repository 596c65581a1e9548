//! How a rollout is widened, and what it has to bear on each step.
//!
//! In: numbers as operators write them. Out: a [`Plan`] that holds only good ones.
//! Invariant: shares only grow, and a plan has at least one step: labels first, where they are given, then each share.

use std::time::Duration;

use outrigger_model::label::Selector;

use super::lane::Membership;

/// Most shares of one rollout.
pub const SHARES_MAX: usize = 16;
/// The shares of a rollout that says nothing else, in percent.
pub const SHARES_DEFAULT: [u8; 4] = [1, 10, 50, 100];
/// Longest soak and patience.
pub const WAIT_MAX: Duration = Duration::from_secs(7 * 86_400);
/// What a ratio of one is in the unit that ratios are compared in.
pub const PARTS: u64 = 10_000;

/// What has to hold before a step is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// How long the step lasts at least.
    pub soak: Duration,
    /// How long is waited for calls, and for proxies to apply the snapshot.
    pub patience: Duration,
    /// By how much the ratio of failed calls may be worse than that of the control group, in parts of [`PARTS`].
    pub error_increase_max: u16,
    /// Calls that have to be made by the lane before its ratio says anything.
    pub calls_min: u64,
    /// By how much the mean time to the first byte may be longer, in hundredths: 150 is half as long again. None: it is not compared.
    pub slow_factor_max: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    selector: Option<Selector>,
    shares: Vec<u8>,
    pub gate: Gate,
    /// A step that is over waits for somebody to widen it.
    pub is_manual: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    #[error("steps: {0} are more than {SHARES_MAX}")]
    Many(usize),
    #[error("steps: they must grow, each 1 to 100; {0} is not after {1}")]
    Order(u8, u8),
    #[error("steps: there is none, and no `labels`")]
    None,
    #[error("{0}: it is longer than 7 days")]
    Long(&'static str),
    #[error("error_ratio_max_increase: it must be 0 to 1")]
    Ratio,
    #[error("slow_factor_max: it must be 1 to 1000")]
    Factor,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            soak: Duration::from_secs(30),
            patience: Duration::from_secs(600),
            error_increase_max: 100,
            calls_min: 20,
            slow_factor_max: None,
        }
    }
}

impl Plan {
    pub fn new(
        selector: Option<Selector>,
        shares: Option<Vec<u8>>,
        gate: Gate,
        is_manual: bool,
    ) -> Result<Self, BadPlan> {
        // Who names proxies means these and no others, unless it says so.
        let usual = || if selector.is_some() { Vec::new() } else { SHARES_DEFAULT.to_vec() };
        let shares = shares.unwrap_or_else(usual);
        if shares.is_empty() && selector.is_none() {
            return Err(BadPlan::None);
        }
        if shares.len() > SHARES_MAX {
            return Err(BadPlan::Many(shares.len()));
        }
        let mut before = 0;
        for share in &shares {
            if *share <= before || *share > 100 {
                return Err(BadPlan::Order(*share, before));
            }
            before = *share;
        }
        for (key, wait) in [("soak_seconds", gate.soak), ("patience_seconds", gate.patience)] {
            if wait > WAIT_MAX {
                return Err(BadPlan::Long(key));
            }
        }
        if u64::from(gate.error_increase_max) > PARTS {
            return Err(BadPlan::Ratio);
        }
        if gate.slow_factor_max.is_some_and(|factor| !(100..=100_000).contains(&factor)) {
            return Err(BadPlan::Factor);
        }
        Ok(Self { selector, shares, gate, is_manual })
    }

    pub fn selector(&self) -> Option<&Selector> {
        self.selector.as_ref()
    }

    pub fn shares(&self) -> &[u8] {
        &self.shares
    }

    pub fn steps(&self) -> usize {
        self.shares.len() + usize::from(self.selector.is_some())
    }

    /// Who is in the lane at a step, before anybody goes first. Beyond the last step: as on the last.
    pub fn membership(&self, step: usize) -> Membership {
        let shares = (step + 1).saturating_sub(usize::from(self.selector.is_some()));
        let share = shares.checked_sub(1).and_then(|at| self.shares.get(at).or(self.shares.last())).copied();
        Membership { selector: self.selector.clone(), share: share.unwrap_or(0), lead: None }
    }
}

#[cfg(test)]
mod tests;
