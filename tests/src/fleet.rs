//! The mesh that most tests need: three replicas of one agent, each behind its own proxy, and a proxy that calls them.
//!
//! In: which SDK the agent is built with, and whether sessions are kept in Redis. Out: the processes, ready for calls.
//! Never here: what is tested.
//! Invariant: when it is handed out, the calling proxy's world has all replicas.

use anyhow::{Context, Result, ensure};

use crate::mesh::{Mesh, Proxy, Shape};
use crate::peers::{Agent, Sdk};

/// What the three replicas are called by.
pub const AGENT: &str = "weather";
pub const REPLICAS: [&str; 3] = ["weather-1", "weather-2", "weather-3"];

/// Who calls them.
const DESK: &str = "agent/desk";

pub struct Fleet {
    pub sdk: Sdk,
    pub agents: Vec<Agent>,
    pub proxies: Vec<Proxy>,
    pub caller: Proxy,
    pub mesh: Mesh,
}

impl Fleet {
    pub async fn start(sdk: Sdk) -> Result<Self> {
        Self::start_with(sdk, None).await
    }

    pub async fn start_with(sdk: Sdk, redis_url: Option<&str>) -> Result<Self> {
        Self::start_declaring(sdk, "", redis_url).await
    }

    /// The same with further lines in control's file.
    pub async fn start_declaring(sdk: Sdk, lines: &str, redis_url: Option<&str>) -> Result<Self> {
        let caller = Shape { redis_url: redis_url.map(str::to_owned), ..desk(1) };
        Self::start_in(Mesh::new().await?.declaring(lines), sdk, &caller).await
    }

    /// The same in a mesh whose control is yet to start, and with a caller that is told how to be.
    pub async fn start_in(mut mesh: Mesh, sdk: Sdk, caller: &Shape) -> Result<Self> {
        mesh.start_control().await?;
        let (mut agents, mut proxies) = (vec![], vec![]);
        for replica in REPLICAS {
            let agent = Agent::start(sdk, replica, mesh.folder()).await?;
            proxies.push(mesh.start_proxy(&Self::beside(&agent)).await?);
            agents.push(agent);
        }
        let caller = Self::start_calling(&mesh, caller).await?;
        Ok(Self { sdk, agents, proxies, caller, mesh })
    }

    /// Each proxy has a name of its own, so that its log is not the agent's.
    fn beside(agent: &Agent) -> Shape {
        Shape { node: format!("{}-proxy", agent.name), ..Shape::beside(AGENT, &agent.name, &agent.url()) }
    }

    /// Ends a replica and its proxy as an operator does, and starts both again without what they remembered.
    pub async fn restart(&mut self, replica: &str) -> Result<()> {
        let status = self.proxy(replica)?.process.stop().await?;
        ensure!(status.success(), "the proxy of {replica}: {status}");
        let agent = self.agent(replica)?;
        agent.process.stop().await?;
        agent.start_again().await?;
        let shape = Self::beside(agent);
        let proxy = self.mesh.start_proxy(&shape).await?;
        *self.proxy(replica)? = proxy;
        self.caller.sees(AGENT, REPLICAS.len()).await
    }

    /// Another proxy of the same calling agent, ready for calls.
    pub async fn start_caller(mesh: &Mesh, node: &str, redis_url: Option<&str>) -> Result<Proxy> {
        let mut shape = Shape::calling(node, DESK);
        shape.redis_url = redis_url.map(str::to_owned);
        Self::start_calling(mesh, &shape).await
    }

    pub async fn start_calling(mesh: &Mesh, shape: &Shape) -> Result<Proxy> {
        let caller = mesh.start_proxy(shape).await?;
        caller.sees(AGENT, REPLICAS.len()).await?;
        Ok(caller)
    }

    /// Where a client calls the agent.
    pub fn url(&self) -> String {
        self.caller.url(AGENT)
    }

    pub fn tool(&self) -> &'static str {
        self.sdk.tool()
    }

    pub fn agent(&mut self, name: &str) -> Result<&mut Agent> {
        self.agents.iter_mut().find(|agent| agent.name == name).with_context(|| format!("no agent {name}"))
    }

    /// The proxy beside a replica.
    pub fn proxy(&mut self, replica: &str) -> Result<&mut Proxy> {
        let node = format!("{replica}-proxy");
        self.proxies.iter_mut().find(|proxy| proxy.node == node).with_context(|| format!("no proxy {node}"))
    }

    /// All proxies: those beside replicas, and the calling one.
    pub fn proxies_count(&self) -> usize {
        self.proxies.len() + 1
    }
}

/// One of the proxies of the calling agent.
pub fn desk(number: usize) -> Shape {
    Shape::calling(&format!("desk-{number}"), DESK)
}
