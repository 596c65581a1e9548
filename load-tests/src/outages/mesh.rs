//! The mesh that outages happen to: control, replicas of the echo agent behind proxies of their own, and a calling proxy.
//!
//! In: how many replicas, which agent program. Out: the processes, and the targets to call.
//! Invariant: when it is handed out, every proxy runs the newest snapshot and a call passes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;

use super::error::OutageError;
use crate::echo::Era;
use crate::generate::book::Book;
use crate::generate::{Crew, Dress, Target, saturate};
use crate::peers::Place;
use crate::stage::agent::Agent;
use crate::stage::control::Control;
use crate::stage::part::until;
use crate::stage::proxy::{Proxy, Shape};
use crate::stage::wire::Wire;

/// A route of the operator to the same replicas, on which every call is balanced.
pub const SPREAD: &str = "/spread/mcp";
/// The agent's own route: sessions first, then the caller's affinity.
pub const OWN: &str = "/echo/mcp";
const READY_MAX: Duration = Duration::from_secs(20);

/// What the mesh should be like.
#[derive(Debug, Clone)]
pub struct Plan {
    pub replicas: usize,
    /// `agent` or `witness`, and options of it; `{}` becomes the replica's name.
    pub kind: &'static str,
    pub also: Vec<String>,
    pub redis_url: Option<String>,
    /// Of the route that spreads, on top of the usual.
    pub first_byte_ms: u64,
    /// The first replica is reached, and reaches control, over wires that can be cut.
    pub is_wired: bool,
}

#[derive(Debug)]
pub struct Mesh {
    // Dropped in this order: who calls goes first.
    pub caller: Proxy,
    pub providers: Vec<Proxy>,
    pub agents: Vec<Agent>,
    pub control: Control,
    /// Those of the first replica, if it is wired.
    pub wires: Vec<Wire>,
    folder: TempDir,
}

impl Default for Plan {
    fn default() -> Self {
        Self { replicas: 3, kind: "agent", also: Vec::new(), redis_url: None, first_byte_ms: 300_000, is_wired: false }
    }
}

impl Mesh {
    pub async fn start(place: &Place, plan: &Plan) -> Result<Self, OutageError> {
        let folder = tempfile::tempdir()?;
        let at = folder.path();
        let also = format!(
            "store: \"sqlite:control.db\"\nroutes:\n  - {{name: spread, capability: echo, affinity: none, \
             timeouts: {{quick: {{first_byte_ms: {limit}}}, call: {{first_byte_ms: {limit}}}}}}}\n",
            limit = plan.first_byte_ms
        );
        let control = Control::start(place, at, place.cores.agent, &also).await?;
        let (mut agents, mut providers, mut wires) = (Vec::new(), Vec::new(), Vec::new());
        for replica in 0..plan.replicas {
            let name = format!("echo-{replica}");
            let also: Vec<String> = plan.also.iter().map(|text| text.replace("{}", &name)).collect();
            let agent = Agent::start(place, at, plan.kind, &name, &also).await?;
            let node = format!("provider-{replica}");
            let shape = Shape { node, agents: vec![(name, agent.address)], ..Shape::default() };
            let is_wired = plan.is_wired && replica == 0;
            let provider = if is_wired {
                wired(place, at, control.grpc, shape, &mut wires).await?
            } else {
                Proxy::start(place, at, place.cores.proxy, control.grpc, &shape).await?
            };
            providers.push(provider);
            agents.push(agent);
        }
        let shape = Shape { node: "caller".to_owned(), redis_url: plan.redis_url.clone(), ..Shape::default() };
        let caller = Proxy::start(place, at, place.cores.proxy, control.grpc, &shape).await?;
        let mesh = Self { caller, providers, agents, control, wires, folder };
        mesh.is_ready(plan.replicas).await?;
        Ok(mesh)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn target(&self, path: &str) -> Target {
        Target::new(self.caller.outbound, path)
    }

    pub fn proxies(&self) -> usize {
        self.providers.len() + 1
    }

    /// All replicas are callable, all proxies know it, and calls are answered.
    async fn is_ready(&self, replicas: usize) -> Result<(), OutageError> {
        let listed = async || {
            let routes = crate::stage::ask::json(self.control.http, "/v1/routes").await.unwrap_or_default();
            let items = routes.get("items").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
            let named =
                |name| items.iter().find(|item| item.get("name").and_then(serde_json::Value::as_str) == Some(name));
            let endpoints = named("spread").and_then(|item| item.get("endpoints")?.as_u64());
            endpoints == Some(replicas as u64)
        };
        until("all replicas are routed to", READY_MAX, listed).await?;
        self.control.is_synced(self.proxies()).await?;
        for path in [SPREAD, OWN] {
            let target = self.target(path);
            let passes = async || passes(&target).await.is_some_and(|is_clean| is_clean);
            until("calls are answered", READY_MAX, passes).await?;
        }
        Ok(())
    }
}

/// A provider that is reached over a wire, and reaches control over another.
async fn wired(
    place: &Place,
    folder: &Path,
    control: SocketAddr,
    mut shape: Shape,
    wires: &mut Vec<Wire>,
) -> Result<Proxy, OutageError> {
    let (_, to_control) = watch::channel(Some(control));
    let (told, to_provider) = watch::channel(None);
    let (up, inbound) = (Wire::lay(to_control)?, Wire::lay(to_provider)?);
    shape.also = format!("advertise: \"{}\"\n", inbound.address);
    let provider = Proxy::start(place, folder, place.cores.proxy, up.address, &shape).await?;
    told.send_replace(Some(provider.inbound));
    wires.extend([up, inbound]);
    Ok(provider)
}

/// A few calls, so that connections are there and code is loaded.
async fn passes(target: &Target) -> Option<bool> {
    let crew = Crew::hire(target, &Dress::plain(Era::Modern), 4).await.ok()?;
    let book = Book::new(64);
    let (crew, elapsed) = saturate::run(crew, &book).await.ok()?;
    crew.dismiss().await;
    Some(book.close(crate::tally::Executed::default(), elapsed).tally.is_clean())
}
