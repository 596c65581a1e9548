//! Three stretches of one process become what one time of an act costs.
//!
//! In: a stretch at rest, one with the act N times, one with it 2 N times. Out: [`Each`].
//! Why: what happens once falls out of the difference between the last two; what happens by the clock (timers, probes, reports) is
//! known from the first, so that a machine which takes longer for the same calls gives the same figures.
//! Invariant: nothing else is taken away, and nothing becomes less than zero.

use super::profile::Profile;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stretch {
    pub profile: Profile,
    pub seconds: f64,
}

/// For one time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Each {
    pub instructions: f64,
    pub allocations: f64,
    pub copies: f64,
    /// Functions by their own instructions, the largest first.
    pub functions: Vec<(String, f64)>,
}

pub fn each(rest: &Stretch, once: &Stretch, twice: &Stretch, times: u64) -> Each {
    let figure = |of: &dyn Fn(&Profile) -> u64| {
        let of = |stretch: &Stretch| of(&stretch.profile) as f64;
        let by_the_clock = of(rest) / rest.seconds.max(f64::MIN_POSITIVE) * (twice.seconds - once.seconds);
        ((of(twice) - of(once) - by_the_clock) / times.max(1) as f64).max(0.0)
    };
    let own = |name: &str| figure(&|profile| profile.functions.get(name).copied().unwrap_or_default());
    let names = twice.profile.functions.keys();
    let mut functions: Vec<(String, f64)> = names.map(|name| (name.clone(), own(name))).collect();
    functions.sort_by(|one, other| other.1.total_cmp(&one.1));
    Each {
        instructions: figure(&|profile| profile.instructions),
        allocations: figure(&|profile| profile.allocations),
        copies: figure(&|profile| profile.copies),
        functions,
    }
}

#[cfg(test)]
mod tests;
