//! What control knows of the agents that were asked for, and what is new since the last look.
//!
//! In: answers of control and how much time has passed. Out: replicas with their state, and lines for those that changed.
//! Never here: clocks, printing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::ask;
use crate::http::Origin;
use crate::problem::Problem;
use crate::render::cell::{items, string};
use crate::render::table::printable;
use crate::target::Target;

/// One answer of control.
pub struct Seen {
    pub agents: Value,
    pub serial: Option<u64>,
}

/// Every agent asked for, in the order of the command line.
pub struct View {
    pub agents: Vec<Agent>,
    /// The newest snapshot.
    pub serial: Option<u64>,
}

pub struct Agent {
    pub name: String,
    pub tools: Vec<String>,
    pub revisions: Vec<String>,
    pub replicas: BTreeMap<usize, Replica>,
}

pub struct Replica {
    pub id: String,
    pub url: String,
    /// As control says it; empty before control has heard of it.
    pub state: String,
    pub trouble: String,
    /// When it was first seen healthy.
    pub ready_after: Option<Duration>,
}

/// Asks control once.
pub async fn look(control: &Origin) -> Result<Seen, Problem> {
    let agents = ask::control(control, "/v1/agents").await?;
    let snapshots = ask::control(control, "/v1/snapshots").await?;
    let serial = items(&snapshots, "items").iter().filter_map(|snapshot| snapshot.get("serial")?.as_u64()).max();
    Ok(Seen { agents, serial })
}

impl View {
    pub fn new(targets: &[Target]) -> Self {
        let replica = |target: &Target, at: usize, url: String| Replica {
            id: format!("{}-{}", target.name, at + 1),
            url,
            state: String::new(),
            trouble: String::new(),
            ready_after: None,
        };
        let agents = targets.iter().map(|target| Agent {
            name: target.name.to_string(),
            tools: Vec::new(),
            revisions: Vec::new(),
            replicas: target
                .urls
                .iter()
                .enumerate()
                .map(|(at, url)| (at, replica(target, at, url.to_string())))
                .collect(),
        });
        Self { agents: agents.collect(), serial: None }
    }

    /// Whether every replica is healthy.
    pub fn is_complete(&self) -> bool {
        self.agents.iter().flat_map(|agent| agent.replicas.values()).all(Replica::is_healthy)
    }

    /// Takes a look in; the lines tell what changed with it.
    pub fn update(&mut self, seen: Seen, after: Duration) -> Vec<String> {
        let mut lines = Vec::new();
        self.serial = seen.serial.or(self.serial);
        for agent in &mut self.agents {
            let told = items(&seen.agents, "items").iter().find(|told| string(told, "name") == agent.name);
            agent.update(told.unwrap_or(&Value::Null), after, &mut lines);
        }
        lines
    }
}

impl Agent {
    fn update(&mut self, told: &Value, after: Duration, lines: &mut Vec<String>) {
        let tools: Vec<String> = items(told, "tools").iter().filter_map(Value::as_str).map(printable).collect();
        if !tools.is_empty() {
            self.tools = tools;
        }
        for replica in self.replicas.values_mut() {
            let found = items(told, "replicas").iter().find(|found| string(found, "id") == replica.id);
            let found = found.unwrap_or(&Value::Null);
            let revisions: Vec<String> =
                items(found, "revisions").iter().filter_map(Value::as_str).map(printable).collect();
            if !revisions.is_empty() {
                self.revisions = revisions;
            }
            let was = std::mem::replace(&mut replica.state, string(found, "state").to_owned());
            replica.trouble = printable(string(found, "trouble"));
            if replica.is_healthy() && replica.ready_after.is_none() {
                replica.ready_after = Some(after);
            }
            if was != replica.state {
                lines.push(replica.told());
            }
        }
    }

    pub fn healthy(&self) -> usize {
        self.replicas.values().filter(|replica| replica.is_healthy()).count()
    }
}

impl Replica {
    pub fn is_healthy(&self) -> bool {
        self.state == "healthy"
    }

    /// One line: which, how, and why it is not healthy.
    pub fn told(&self) -> String {
        let mark = if self.is_healthy() { '✓' } else { '✗' };
        let state = if self.state.is_empty() { "not registered" } else { &self.state };
        let trouble = if self.trouble.is_empty() { String::new() } else { format!(": {}", self.trouble) };
        format!("{mark} {}  {}  {state}{trouble}", self.id, self.url)
    }
}

#[cfg(test)]
mod tests;
