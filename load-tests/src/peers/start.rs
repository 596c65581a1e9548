//! Starts one peer in front of the agents and waits until calls pass.
//!
//! In: a peer's name, a way. Out: [`Running`].

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::child::{Child, ChildError, Line};
use super::mesh::{self, MeshError, Watched};
use super::place::Place;
use super::plain::{Plain, PlainError};
use crate::echo::Era;
use crate::generate::{Crew, Dress, Target};
use crate::machine::about::first_line;
use crate::scenario::{PeerName, Way};

const READY_MAX: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    #[error(transparent)]
    Plain(#[from] PlainError),
    #[error(transparent)]
    Mesh(#[from] MeshError),
    #[error(transparent)]
    Child(#[from] ChildError),
    #[error("no folder for configurations")]
    Folder(#[from] std::io::Error),
    #[error("{peer} passes no calls ({said}); its log ends with:\n{log}")]
    NotReady { peer: &'static str, said: String, log: String },
}

/// A peer that passes calls.
#[derive(Debug)]
pub struct Running {
    pub name: PeerName,
    pub target: Target,
    /// The proxies on the path of a call; empty for `direct`.
    pub proxies: Vec<Child>,
    /// Of Outrigger: what a changing world is watched by.
    pub watched: Option<Watched>,
    /// Beside the path.
    control: Option<Child>,
    _folder: TempDir,
}

impl Running {
    pub fn pids(&self) -> Vec<u32> {
        self.proxies.iter().map(Child::pid).collect()
    }

    /// Processes that are part of the peer and not on the path of a call.
    pub fn beside(&self) -> Vec<u32> {
        self.control.iter().map(Child::pid).collect()
    }
}

/// Echo agents, each a process of its own.
#[derive(Debug)]
pub struct Agents {
    pub addresses: Vec<SocketAddr>,
    pub children: Vec<Child>,
    _folder: TempDir,
}

pub async fn start_agents(place: &Place, count: usize) -> Result<Agents, PeerError> {
    let folder = tempfile::tempdir()?;
    let mut agents = Agents { addresses: Vec::new(), children: Vec::new(), _folder: folder };
    for at in 0..count {
        let (name, file) = (format!("echo-{at}"), format!("echo-{at}.port"));
        let program = place.load.display().to_string();
        let arguments = ["agent", "--name", &name, "--port-file", &file];
        let folder = agents._folder.path();
        let line = Line { program: &program, arguments: &arguments, folder, name: &name, core: place.cores.agent };
        let mut child = Child::start(&line)?;
        agents.addresses.push(listening(&mut child, &folder.join(&file)).await?);
        agents.children.push(child);
    }
    Ok(agents)
}

async fn listening(child: &mut Child, file: &Path) -> Result<SocketAddr, PeerError> {
    let until = Instant::now() + READY_MAX;
    while Instant::now() < until {
        child.must_live()?;
        if let Ok(address) = fs::read_to_string(file).unwrap_or_default().trim().parse() {
            return Ok(address);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Err(PeerError::NotReady { peer: "the echo agent", said: "no port".to_owned(), log: child.last_words() })
}

pub async fn start(place: &Place, name: PeerName, way: Way, agents: &[SocketAddr]) -> Result<Running, PeerError> {
    let folder = tempfile::tempdir()?;
    let first = agents.first().copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 1)));
    let mut running = Running {
        name,
        target: Target::new(first, "/mcp"),
        proxies: Vec::new(),
        watched: None,
        control: None,
        _folder: folder,
    };
    let folder = running._folder.path();
    if let Some(plain) = Plain::of(name) {
        let (proxies, address) = plain.start(place, way, agents, folder)?;
        running.target = Target::new(address, "/mcp");
        running.proxies = proxies;
    } else if let Some(routes) = name.routes() {
        let mesh = mesh::start(place, way, routes, agents, folder)?;
        let mut paths = mesh.routes.iter().map(|route| format!("/{route}/mcp"));
        let first = paths.next().unwrap_or_else(|| "/echo/mcp".to_owned());
        running.target = Target::new(mesh.outbound, &first).and(paths.collect());
        running.proxies = mesh.proxies;
        running.watched = Some(mesh.watched);
        running.control = Some(mesh.control);
    }
    until_ready(&mut running).await?;
    Ok(running)
}

/// A session can be opened and closed.
async fn until_ready(running: &mut Running) -> Result<(), PeerError> {
    let dress = Dress { session: true, ..Dress::plain(Era::Legacy) };
    let until = Instant::now() + READY_MAX;
    let mut said = String::new();
    while Instant::now() < until {
        for child in &mut running.proxies {
            child.must_live()?;
        }
        match Crew::hire(&running.target, &dress, 1).await {
            Ok(crew) => {
                crew.dismiss().await;
                return Ok(());
            }
            Err(error) => said = error.to_string(),
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let log = running.proxies.first().map(Child::last_words).unwrap_or_default();
    Err(PeerError::NotReady { peer: running.name.text(), said, log })
}

/// What each peer says of its version.
pub fn versions(place: &Place) -> Vec<String> {
    let asked = [("nginx", "-v"), ("haproxy", "-v"), ("envoy", "--version")];
    let found = asked.iter().map(|(program, flag)| match place.program(program) {
        Some(path) => without_paths(&first_line(&path.display().to_string(), &[flag], None)),
        None => format!("{program}: not installed"),
    });
    let own = first_line(&place.outrigger.display().to_string(), &["--version"], None);
    found.chain([own]).collect()
}

/// Envoy says where it is installed, which is nobody's concern.
fn without_paths(said: &str) -> String {
    let words = said.split_whitespace().map(|word| if word.starts_with('/') { "envoy" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
