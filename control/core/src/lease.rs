//! How long control believes in a proxy it does not hear from.
//!
//! In: a light signal, a broken stream, the passing of time. Out: a [`Lease`]: live, suspect or gone.
//! Invariant: a lease ends only by time; a broken stream makes it suspect at once and does not shorten it.

use std::time::Duration;

use crate::moment::Moment;

/// How often proxies signal, and how long silence is forgiven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRules {
    light: Duration,
    lease: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLease {
    #[error("light signals every {0:?}: must be between 1 second and 1 hour")]
    Light(Duration),
    #[error("a lease of {lease:?} must be at least twice the {light:?} between light signals, and at most a day")]
    Lease { light: Duration, lease: Duration },
}

/// What is believed of one proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// Its stream is open, or control has just started and gives it time to come back.
    Live { until: Moment },
    /// Its stream broke.
    Suspect { until: Moment },
    /// Its lease ended.
    Gone { since: Moment },
}

impl LeaseRules {
    pub fn new(light: Duration, lease: Duration) -> Result<Self, BadLease> {
        if !(Duration::from_secs(1)..=Duration::from_secs(3_600)).contains(&light) {
            return Err(BadLease::Light(light));
        }
        if lease < light * 2 || lease > Duration::from_secs(86_400) {
            return Err(BadLease::Lease { light, lease });
        }
        Ok(Self { light, lease })
    }

    /// How often a proxy sends a light signal.
    pub const fn light(&self) -> Duration {
        self.light
    }

    /// How long a lease lasts after the last signal.
    pub const fn lease(&self) -> Duration {
        self.lease
    }

    /// After control starts, no lease ends for this long: its own absence would look like everyone's death.
    pub const fn grace(&self) -> Duration {
        self.lease.saturating_mul(2)
    }
}

impl Default for LeaseRules {
    fn default() -> Self {
        Self { light: Duration::from_secs(5), lease: Duration::from_secs(20) }
    }
}

impl Lease {
    /// A signal came.
    pub const fn renewed(rules: &LeaseRules, now: Moment) -> Self {
        Self::Live { until: now.after(rules.lease) }
    }

    /// Control started and found the proxy in its store.
    pub const fn found(rules: &LeaseRules, now: Moment) -> Self {
        Self::Live { until: now.after(rules.grace()) }
    }

    /// The stream broke.
    pub const fn suspected(self) -> Self {
        match self {
            Self::Live { until } | Self::Suspect { until } => Self::Suspect { until },
            Self::Gone { since } => Self::Gone { since },
        }
    }

    /// Not over before `until`. What is gone stays gone.
    pub fn at_least(self, until: Moment) -> Self {
        match self {
            Self::Live { until: own } => Self::Live { until: own.max(until) },
            Self::Suspect { until: own } => Self::Suspect { until: own.max(until) },
            Self::Gone { since } => Self::Gone { since },
        }
    }

    /// Whether its time has come and it is not gone yet.
    pub fn is_due(self, now: Moment) -> bool {
        match self {
            Self::Live { until } | Self::Suspect { until } => until <= now,
            Self::Gone { .. } => false,
        }
    }

    pub const fn is_gone(self) -> bool {
        matches!(self, Self::Gone { .. })
    }
}

#[cfg(test)]
mod tests;
