//! What an agent is told of its dependencies.
//!
//! In: its registration, the snapshot in use, what was known of a route before. Out: the answer, and the digest by which it is compared.
//! Rules: calls go to this proxy, whoever serves them; a provider is known by the name of its agent, which stays when replicas come and
//! go; what the same agent provides is told under its own id, so that it calls itself.
//! Invariant: a route that the snapshot does not know is told as it was known last.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use outrigger_model::digest::Digest;
use outrigger_model::name::RouteName;
use outrigger_model::snapshot::Snapshot;
use outrigger_model::wiring::{Provider, Wiring};
use outrigger_upstream::answer::{self, Wirings};
use outrigger_upstream::heartbeat::Heartbeat;
use serde_json::Value;

/// From what an answer is made.
pub(super) struct Answering<'a> {
    pub heartbeat: &'a Heartbeat,
    pub snapshot: &'a Snapshot,
    pub last: &'a BTreeMap<RouteName, Wiring>,
    /// Where the agents of this proxy reach it.
    pub outbound: SocketAddr,
}

impl Answering<'_> {
    pub fn answer(&self, is_new: bool, timestamp: &str) -> Value {
        answer::answer(self.heartbeat.id.as_str(), &self.heartbeat.registration, self, is_new, timestamp)
    }

    /// Of all that matters to the agent.
    pub fn digest(&self) -> Digest {
        Digest::of(self.answer(false, "").to_string().as_bytes())
    }
}

impl Wirings for Answering<'_> {
    fn wiring(&self, route: &RouteName) -> Option<&Wiring> {
        self.snapshot.resources().wirings.get(route).or_else(|| self.last.get(route))
    }

    fn endpoint(&self, function: &str, route: &RouteName, provider: &Provider, many: bool) -> String {
        let (outbound, function) = (self.outbound, encoded(function));
        match many {
            true => format!("http://{outbound}/d/{function}/agents/{}", provider.agent),
            false => format!("http://{outbound}/d/{function}/{route}"),
        }
    }

    fn agent_id(&self, provider: &Provider) -> String {
        let own = self.heartbeat.id.as_str();
        match (self.is_own(provider), provider.agent.as_str()) {
            (true, _) => own.to_owned(),
            // An agent may have chosen the name of another one for its id.
            (false, name) if name == own => provider.replica.to_string(),
            (false, name) => name.to_owned(),
        }
    }

    fn is_own(&self, provider: &Provider) -> bool {
        provider.agent == self.heartbeat.agent
    }
}

/// A function's name as one piece of a path.
fn encoded(function: &str) -> String {
    let mut out = String::with_capacity(function.len());
    for byte in function.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            // Writing to memory does not fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests;
