//! Tools of an agent that may run twice, as it says itself.
//!
//! In: facts, an agent of a namespace. Out: names of tools.
//! Never here: whether it is believed; a route says that.
//! Invariant: of a tool that one replica says acts, nobody is told that it may run twice.

use std::collections::BTreeMap;

use outrigger_model::capability::TOOLS_MAX;
use outrigger_model::name::{AgentName, Namespace};

use crate::facts::Facts;

/// Sorted.
pub fn tools(facts: &Facts, namespace: &Namespace, agent: &AgentName) -> Vec<String> {
    let mut said = BTreeMap::<&str, bool>::new();
    for standing in facts.replicas_in(namespace.as_str(), agent) {
        for tool in standing.replica.capabilities.iter().flat_map(|capability| &capability.tools) {
            let may_repeat = said.entry(&tool.name).or_insert(true);
            *may_repeat &= tool.hints.may_repeat();
        }
    }
    let repeatable = said.into_iter().filter(|(_, may_repeat)| *may_repeat);
    repeatable.take(TOOLS_MAX).map(|(tool, _)| tool.to_owned()).collect()
}
