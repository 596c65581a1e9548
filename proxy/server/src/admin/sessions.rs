//! `GET /sessions?agent=&limit=&after=`: what memory holds, newest first.
//!
//! In: bindings. Out: a page of them by name, and how many there are. Never here: keys, ids of sessions, bodies that opened them.

use std::sync::Arc;

use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::SessionKey;
use serde::Deserialize;
use serde_json::{Value, json};

const LIMIT_DEFAULT: usize = 1_000;
const LIMIT_MAX: usize = 10_000;

/// Which part is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Page {
    /// Only those at this agent.
    agent: Option<String>,
    limit: Option<usize>,
    /// How many of the newest are left out.
    after: Option<usize>,
}

/// `unix` in seconds since 1970.
pub(super) fn list(held: Vec<(SessionKey, Arc<Binding>)>, is_shared: bool, page: &Page, unix: u64) -> Value {
    let fits = |binding: &Binding| page.agent.as_deref().is_none_or(|agent| binding.agent.as_str() == agent);
    let mut held: Vec<_> = held.into_iter().filter(|(_, binding)| fits(binding)).collect();
    held.sort_by_key(|(key, binding)| (std::cmp::Reverse(binding.created), key.name()));
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    let shown = held.iter().skip(page.after.unwrap_or(0)).take(limit);
    let item = |(key, binding): &(SessionKey, Arc<Binding>)| {
        json!({
            "name": key.name().to_string(),
            "kind": binding.kind.as_str(),
            "agent": binding.agent.as_str(),
            "replica": binding.replica.as_str(),
            "caller": binding.caller.as_str(),
            "age_seconds": unix.saturating_sub(binding.created),
            "idle_seconds": unix.saturating_sub(binding.last_seen),
            "store": if is_shared { "memory, redis" } else { "memory" },
            "moves": binding.moves,
        })
    };
    json!({ "total": held.len(), "items": shown.map(item).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests;
