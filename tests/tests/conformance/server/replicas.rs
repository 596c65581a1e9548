//! A mesh that grows: one server behind its own proxy at first, then two and three, and one proxy that calls them.
//!
//! In: which SDK, and how many replicas there should be. Out: where to ask, beside the mesh and through it.
//! Never here: what is asked.
//! Invariant: when a size was reached, the calling proxy's world has all replicas of it.

use std::path::Path;

use anyhow::{Context, Result};
use outrigger_tests::mesh::{Mesh, Proxy, Shape};

use super::agent::{Agent, Sdk};

/// As many replicas as a row goes up to.
pub const MOST: usize = 3;

/// What the replicas are called by.
const AGENT: &str = "everything";

/// The name of the route that [`SCATTERED`] declares.
const SCATTERED_ROUTE: &str = "scattered";

/// Intent of an operator who wants every call anywhere.
pub const SCATTERED: &str = "routes:\n  - {name: scattered, capability: everything, affinity: none}\n";

pub struct Replicas {
    sdk: Sdk,
    agents: Vec<Agent>,
    proxies: Vec<Proxy>,
    caller: Proxy,
    mesh: Mesh,
}

impl Replicas {
    /// A mesh with one replica.
    pub async fn first(sdk: Sdk, intent: &str) -> Result<Self> {
        let mut mesh = Mesh::new().await?.declaring(intent);
        mesh.start_control().await?;
        let caller = mesh.start_proxy(&Shape::calling("desk-1", "agent/desk")).await?;
        let mut replicas = Self { sdk, agents: vec![], proxies: vec![], caller, mesh };
        replicas.grow_to(1).await?;
        Ok(replicas)
    }

    pub async fn grow_to(&mut self, count: usize) -> Result<()> {
        while self.agents.len() < count {
            let replica = format!("{AGENT}-{}", self.agents.len() + 1);
            let agent = Agent::start(self.sdk, &replica, self.mesh.folder()).await?;
            // Each proxy has a name of its own, so that its log is not the server's.
            let shape = Shape { node: format!("{replica}-proxy"), ..Shape::beside(AGENT, &replica, &agent.url()) };
            self.proxies.push(self.mesh.start_proxy(&shape).await?);
            self.agents.push(agent);
        }
        self.caller.sees(AGENT, count).await
    }

    pub fn folder(&self) -> &Path {
        self.mesh.folder()
    }

    /// The first replica, without anything of ours before it.
    pub fn direct_url(&self) -> Result<String> {
        Ok(self.agents.first().context("no replica")?.url())
    }

    pub fn url(&self) -> String {
        self.caller.url(AGENT)
    }

    /// The same replicas by the route that keeps nothing together.
    pub fn scattered_url(&self) -> String {
        self.caller.url(SCATTERED_ROUTE)
    }
}
