//! The keys of an agent with capabilities that need sessions.
//!
//! In: facts, an agent of a namespace. Out: one key over the tools of those capabilities, or none.
//! Source: agents of mcp-mesh name the session of a call in its argument `session_id`.
//! Invariant: all replicas count, so that a key does not come and go with one of them.

use std::collections::BTreeSet;

use outrigger_model::key::{ArgumentKey, KEY_TOOLS_MAX, KeySource};
use outrigger_model::name::{AgentName, Namespace};

use crate::facts::Facts;

const ARGUMENT: &str = "session_id";

pub fn keys(facts: &Facts, namespace: &Namespace, agent: &AgentName) -> Vec<KeySource> {
    let capabilities = facts.replicas_in(namespace.as_str(), agent).flat_map(|standing| &standing.replica.capabilities);
    let stateful = capabilities.filter(|capability| capability.session_required);
    let tools: BTreeSet<&str> =
        stateful.flat_map(|capability| &capability.tools).map(|tool| tool.name.as_str()).collect();
    if tools.is_empty() {
        return Vec::new();
    }
    // More than can be listed stand for all of the agent's.
    let listed = if tools.len() > KEY_TOOLS_MAX { BTreeSet::new() } else { tools };
    let key = ArgumentKey::new(ARGUMENT, listed.into_iter().map(str::to_owned).collect());
    key.map(KeySource::Argument).into_iter().collect()
}
