//! How often something is done that is the surer the more often it is done.
//!
//! In: how often every run does it, how often `make test-thorough` does. Out: the number for this run.

use std::env;

/// Set by `make test-thorough`.
const THOROUGH: &str = "OUTRIGGER_THOROUGH";

/// `thorough` where somebody has time, else `usual`.
pub fn times(usual: usize, thorough: usize) -> usize {
    match env::var_os(THOROUGH) {
        Some(_) => thorough,
        None => usual,
    }
}
