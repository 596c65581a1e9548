//! What happened to agents, as `GET /events` tells it: a bounded log in memory that begins when control starts.
//!
//! In: changes between two pictures, and resolutions that somebody may ask about. Out: lines, newest first.
//! Never here: the event log of operators, which is in the store and outlives control.
//! Invariant: the same resolution of the same dependency is told once, however often it is made.

use std::collections::{HashMap, VecDeque};
use std::time::SystemTime;

use outrigger_control_core::changes::Change;
use outrigger_control_core::facts::Standing;
use outrigger_model::digest::Digest;
use outrigger_model::name::ReplicaId;
use outrigger_model::registration::AgentKind;
use outrigger_wire::time::rfc3339;
use serde_json::{Value, json};

/// Newest lines that are kept.
pub const LINES_MAX: usize = 10_000;

#[derive(Debug, Clone)]
pub struct Line {
    pub kind: &'static str,
    pub agent: ReplicaId,
    pub name: String,
    /// Of the consumer; empty where it is about the whole agent.
    pub function: String,
    pub at: SystemTime,
    pub data: Value,
}

/// One resolution, to be told.
#[derive(Debug, Clone)]
pub struct Told {
    pub consumer: ReplicaId,
    pub name: String,
    pub function: String,
    pub at_dependency: usize,
    pub is_resolved: bool,
    pub data: Value,
}

#[derive(Debug, Default)]
pub struct Trail {
    lines: VecDeque<Line>,
    told: HashMap<ReplicaId, HashMap<(String, usize), Digest>>,
}

/// Which lines are asked for; empty: all.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    pub kind: &'a str,
    pub agent: &'a str,
    pub function: &'a str,
}

impl Trail {
    pub fn change(&mut self, change: &Change<'_>, at: SystemTime) {
        let (kind, standing) = match change {
            Change::Came(is) => ("register", is),
            Change::Went(was) => ("unregister", was),
            Change::Turned { was, is } => match (was.is_callable(), is.is_callable()) {
                (true, false) => ("unhealthy", is),
                (false, true) => ("register", is),
                _ if was.replica == is.replica => return,
                _ => ("update", is),
            },
        };
        if kind == "unregister" {
            self.told.remove(&standing.replica.id);
        }
        self.push(line(kind, standing, at));
    }

    pub fn resolution(&mut self, told: Told, at: SystemTime) {
        let digest = Digest::of(told.data.to_string().as_bytes());
        let place = (told.function.clone(), told.at_dependency);
        if self.told.entry(told.consumer.clone()).or_default().insert(place, digest) == Some(digest) {
            return;
        }
        let kind = if told.is_resolved { "dependency_resolved" } else { "dependency_unresolved" };
        let Told { consumer: agent, name, function, data, .. } = told;
        self.push(Line { kind, agent, name, function, at, data });
    }

    pub fn newest<'a>(&'a self, filter: &'a Filter<'a>) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().rev().filter(|line| {
            (filter.kind.is_empty() || line.kind == filter.kind)
                && (filter.agent.is_empty() || line.agent.as_str() == filter.agent)
                && (filter.function.is_empty() || line.function == filter.function)
        })
    }

    fn push(&mut self, line: Line) {
        if self.lines.len() >= LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}

impl Line {
    pub fn shown(&self) -> Value {
        let mut shown = json!({
            "event_type": self.kind,
            "agent_id": self.agent.as_str(),
            "agent_name": self.name,
            "timestamp": rfc3339(self.at),
            "data": self.data,
        });
        if let (false, Some(fields)) = (self.function.is_empty(), shown.as_object_mut()) {
            fields.insert("function_name".to_owned(), json!(self.function));
        }
        shown
    }
}

fn line(kind: &'static str, standing: &Standing, at: SystemTime) -> Line {
    let replica = &standing.replica;
    let agent_type = replica.registration.as_ref().map_or(AgentKind::Mcp, |registration| registration.kind);
    let mut data = json!({
        "name": replica.agent.as_str(), "version": replica.version.to_string(), "agent_type": agent_type.as_str(),
    });
    if let (false, Some(fields)) = (standing.trouble.is_empty(), data.as_object_mut()) {
        fields.insert("reason".to_owned(), json!(&*standing.trouble));
    }
    Line { kind, agent: replica.id.clone(), name: replica.agent.to_string(), function: String::new(), at, data }
}

#[cfg(test)]
mod tests;
