//! The budget of a pool as docs tell it: of the calls of the last ten seconds a share, or so many in one second.
//!
//! In: calls and repetitions with their time. Out: whether one more is allowed.

use crate::stage::Rules;

const WINDOW_SECONDS: u64 = 10;

/// All that happened, by seconds since the first call.
#[derive(Debug, Default)]
pub struct Budget {
    born: Option<u64>,
    /// (second, it is a repetition)
    events: Vec<(u64, bool)>,
}

impl Budget {
    pub fn saw_call(&mut self, ms: u64) {
        let second = self.second(ms);
        self.events.push((second, false));
    }

    pub fn take(&mut self, rules: &Rules, ms: u64) -> bool {
        let second = self.second(ms);
        let lately = |wanted| {
            let counts = |event: &&(u64, bool)| event.1 == wanted && event.0 + WINDOW_SECONDS > second;
            self.events.iter().filter(counts).count()
        };
        let share = lately(false) * usize::from(rules.budget_percent) / 100;
        let is_allowed = lately(true) < share || self.certain(rules, ms) > 0;
        if is_allowed {
            self.events.push((second, true));
        }
        is_allowed
    }

    /// So many are allowed whatever else happens.
    pub fn certain(&self, rules: &Rules, ms: u64) -> usize {
        let second = self.born.map_or(0, |born| (ms - born) / 1_000);
        let now = self.events.iter().filter(|event| **event == (second, true)).count();
        usize::from(rules.budget_per_second_min).saturating_sub(now)
    }

    /// Calls, and repetitions of them, of the window that ends now.
    pub fn lately(&self, ms: u64) -> (usize, usize) {
        let second = self.born.map_or(0, |born| (ms - born) / 1_000);
        let lately = || self.events.iter().filter(|event| event.0 + WINDOW_SECONDS > second);
        let repeated = lately().filter(|event| event.1).count();
        (lately().count() - repeated, repeated)
    }

    fn second(&mut self, ms: u64) -> u64 {
        (ms - *self.born.get_or_insert(ms)) / 1_000
    }
}
