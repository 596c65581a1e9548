//! Whether a branch of a route is meant for a call.
//!
//! In: the conditions, the head of the call, its caller. Out: yes or no.
//! Invariant: all that is said has to hold; a field that is there several times fits with any of its values.

use outrigger_model::traffic::When;

use crate::http1::field::Fields;
use crate::mcp::facts::Caller;

pub fn fits(when: &When, fields: &Fields, caller: &Caller) -> bool {
    let has = |(name, value): &(String, String)| {
        fields.iter().any(|(_, known, said)| known.eq_ignore_ascii_case(name.as_bytes()) && said == value.as_bytes())
    };
    let is_called = when.callers.is_empty() || when.callers.iter().any(|name| is(caller.as_str(), name));
    is_called && when.headers.iter().all(has)
}

/// Whether a caller is the one of an identity, or of the name of an agent.
fn is(caller: &str, name: &str) -> bool {
    let agent = || caller.strip_prefix("spiffe://")?.split_once("/agent/").map(|(_, agent)| agent);
    caller == name || agent() == Some(name)
}

#[cfg(test)]
mod tests;
