//! Outrigger: control, and one proxy in front of the agents, or two with mTLS between them.
//!
//! In: where the agents are. Out: the children, the address to call.
//! Invariant: control runs on the generator's core and is not measured, as it is not on the path of a call.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::child::{Child, ChildError, Line};
use super::place::Place;
use crate::scenario::Way;

/// How long a part may take until it listens.
const LISTEN_MAX: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

const PORTS: &str = r#"{outbound: "127.0.0.1:0", inbound: "127.0.0.1:0", admin: "127.0.0.1:0", health: "127.0.0.1:0"}"#;

#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    #[error("{0} is not built; run: cargo build --release -p outrigger")]
    NotBuilt(String),
    #[error("configuration cannot be written")]
    File(#[from] std::io::Error),
    #[error("`outrigger {0}` fails")]
    Command(String),
    #[error("`outrigger {part}` does not listen; its log ends with:\n{log}")]
    Silent { part: String, log: String },
    #[error(transparent)]
    Child(#[from] ChildError),
}

/// What was started: control is kept and not measured.
#[derive(Debug)]
pub struct Mesh {
    pub proxies: Vec<Child>,
    pub control: Child,
    pub outbound: SocketAddr,
    pub watched: Watched,
    /// The names of the operator's routes, which all lead to the agents.
    pub routes: Vec<String>,
}

/// Where control takes reports, and where the proxy that callers use says which snapshot it holds.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    pub control: SocketAddr,
    pub health: SocketAddr,
}

/// `routes`: how many routes the operator has beside those that the mesh makes by itself.
pub fn start(place: &Place, way: Way, routes: usize, agents: &[SocketAddr], folder: &Path) -> Result<Mesh, MeshError> {
    if !place.outrigger.is_file() {
        return Err(MeshError::NotBuilt(place.outrigger.display().to_string()));
    }
    let mtls = way == Way::TwoHopsMtls;
    if mtls {
        certificates(place, folder)?;
    }
    let identity = |name: &str| match mtls {
        true => format!("identity: {{certificate: {name}.pem, key: {name}.key, authority: ca.pem}}\n"),
        false => String::new(),
    };
    let routes: Vec<String> = (0..routes).map(|at| format!("route-{at:05}")).collect();
    let text = format!(
        "listen: {{grpc: \"127.0.0.1:0\", http: \"127.0.0.1:0\"}}\nstore: memory\n{}{}",
        identity("control"),
        of_operator(&routes)
    );
    let mut control = part(place, folder, "control", "control", &text, place.cores.agent)?;
    let grpc = port(&mut control, folder, "control", "grpc")?;
    let replicas = agents.iter().enumerate();
    let replicas: String = replicas
        .map(|(at, agent)| {
            format!("  - {{name: echo, replica: echo-{at}, url: \"http://{agent}/mcp\", version: 1.0.0}}\n")
        })
        .collect();
    let common = format!("listen: {PORTS}\ncontrol: {{address: \"{grpc}\"}}\nthreads: 1\n");
    let text = format!("node: provider\nagents:\n{replicas}{common}{}", identity("echo"));
    let core = place.cores.proxy;
    let mut provider = part(place, folder, "provider", "proxy", &text, core)?;
    let outbound = port(&mut provider, folder, "provider", "outbound")?;
    if !mtls {
        let health = port(&mut provider, folder, "provider", "health")?;
        let watched = Watched { control: grpc, health };
        return Ok(Mesh { proxies: vec![provider], control, outbound, watched, routes });
    }
    let text = format!("node: caller\n{common}{}", identity("caller"));
    let mut caller = part(place, folder, "caller", "proxy", &text, core)?;
    let outbound = port(&mut caller, folder, "caller", "outbound")?;
    let watched = Watched { control: grpc, health: port(&mut caller, folder, "caller", "health")? };
    Ok(Mesh { proxies: vec![caller, provider], control, outbound, watched, routes })
}

/// The routes in control's file: each name leads to the agents.
fn of_operator(routes: &[String]) -> String {
    let lines = routes.iter().map(|name| format!("  - {{name: {name}, capability: echo}}\n"));
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!("routes:\n{lines}") }
}

fn certificates(place: &Place, folder: &Path) -> Result<(), MeshError> {
    command(place, folder, &["ca", "init", "--dir", "authority", "--trust-domain", "bench"])?;
    for name in ["control", "agent/echo", "node/caller"] {
        command(place, folder, &["ca", "issue", "--dir", "authority", name, "--out", ".", "--days", "1"])?;
    }
    Ok(())
}

fn command(place: &Place, folder: &Path, arguments: &[&str]) -> Result<(), MeshError> {
    let output = Command::new(&place.outrigger).args(arguments).current_dir(folder).output()?;
    if output.status.success() { Ok(()) } else { Err(MeshError::Command(arguments.join(" "))) }
}

fn part(place: &Place, folder: &Path, name: &str, kind: &str, text: &str, core: usize) -> Result<Child, MeshError> {
    let file = format!("{name}.yaml");
    fs::write(folder.join(&file), text)?;
    let ports = format!("{name}.ports");
    let program = place.outrigger.display().to_string();
    let arguments = [kind, "-f", &file, "--ports-file", &ports];
    Ok(Child::start(&Line { program: &program, arguments: &arguments, folder, name, core })?)
}

/// Waits for the ports file, and reads one address of it.
fn port(child: &mut Child, folder: &Path, name: &str, listener: &str) -> Result<SocketAddr, MeshError> {
    let until = Instant::now() + LISTEN_MAX;
    while Instant::now() < until {
        child.must_live()?;
        let text = fs::read_to_string(folder.join(format!("{name}.ports"))).unwrap_or_default();
        let ports: Value = serde_json::from_str(&text).unwrap_or_default();
        if let Some(address) = ports.get(listener).and_then(Value::as_str).and_then(|text| text.parse().ok()) {
            return Ok(address);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Err(MeshError::Silent { part: name.to_owned(), log: child.last_words() })
}
