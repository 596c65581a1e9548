//! A mesh that exists only in what is reported of it: agents, replicas, capabilities with tools.
//!
//! In: numbers. Out: reports, in which replica `k` is always the same.
//! Never here: who sends them.

use std::net::SocketAddr;

use outrigger_wire::proto::registry::{Replica, Report};
use outrigger_wire::proto::snapshot::{Capability, Tool};
use tokio::task::JoinSet;

use super::error::ControlError;
use crate::speaker::Speaker;

/// Streams that are opened at the same time.
const AT_ONCE: usize = 32;
/// Nobody listens there; nobody calls these replicas.
const ADDRESS: &str = "127.0.0.1:9";

/// What every agent of a crowd is like.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// Declared capabilities of each agent, beside its own name.
    pub capabilities: usize,
    pub replicas_per_agent: usize,
}

impl Crowd {
    /// Replica number `at`, one of `replicas_per_agent` of its agent.
    pub fn replica(&self, at: usize) -> Replica {
        let agent = at / self.replicas_per_agent.max(1);
        let capabilities = (0..self.capabilities).map(|which| capability(&format!("skill-{agent}-{which}"))).collect();
        Replica { capabilities, ..replica(&format!("crowd-{agent}"), &format!("crowd-{agent}-{at}")) }
    }

    pub fn node(at: usize) -> String {
        format!("node-{at}")
    }
}

/// A replica that serves and offers its agent's name.
pub fn replica(agent: &str, id: &str) -> Replica {
    Replica {
        id: id.to_owned(),
        agent: agent.to_owned(),
        semver: "1.2.0".to_owned(),
        tags: vec!["eu".to_owned(), "fast".to_owned()],
        address: ADDRESS.to_owned(),
        generation: 1,
        revisions: vec!["2025-11-25".to_owned()],
        weight: 100,
        zone: String::new(),
        namespace: String::new(),
        registration: String::new(),
        serving: true,
        trouble: String::new(),
        capabilities: Vec::new(),
    }
}

fn capability(name: &str) -> Capability {
    let tool = Tool {
        name: format!("{name}-run"),
        schema_digest: vec![7; 32],
        read_only: true,
        idempotent: true,
        destructive: false,
    };
    Capability {
        name: name.to_owned(),
        semver: "1.2.0".to_owned(),
        tags: vec!["eu".to_owned(), "fast".to_owned()],
        tools: vec![tool],
        session_required: false,
        calls: Default::default(),
    }
}

/// One speaker per node, in their order, each with its replicas reported and taken.
pub async fn register(control: SocketAddr, nodes: Vec<(String, Report)>) -> Result<Vec<Speaker>, ControlError> {
    let mut speakers = Vec::with_capacity(nodes.len());
    let mut under_way = JoinSet::new();
    let mut waiting = nodes.into_iter().enumerate();
    loop {
        while under_way.len() < AT_ONCE
            && let Some((at, (node, report))) = waiting.next()
        {
            under_way.spawn(async move {
                let mut speaker = Speaker::open(control, &node).await?;
                speaker.report(report).await?;
                Ok::<_, ControlError>((at, speaker))
            });
        }
        match under_way.join_next().await {
            Some(speaker) => speakers.push(speaker??),
            None => break,
        }
    }
    speakers.sort_by_key(|(at, _)| *at);
    Ok(speakers.into_iter().map(|(_, speaker)| speaker).collect())
}
