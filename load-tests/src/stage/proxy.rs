//! A proxy as a process.
//!
//! In: the agents behind it, control, perhaps Redis. Out: its addresses.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::part::{Part, Script, StageError, port};
use crate::peers::Place;

#[derive(Debug)]
pub struct Proxy {
    pub part: Part,
    pub outbound: SocketAddr,
    pub inbound: SocketAddr,
    pub health: SocketAddr,
    ports: PathBuf,
}

/// What a proxy should be.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    pub node: String,
    /// Replica id and address of each agent behind it; all of them are replicas of `echo`.
    pub agents: Vec<(String, SocketAddr)>,
    pub redis_url: Option<String>,
    /// Further lines of its file.
    pub also: String,
}

impl Proxy {
    pub async fn start(
        place: &Place,
        folder: &Path,
        core: usize,
        control: SocketAddr,
        shape: &Shape,
    ) -> Result<Self, StageError> {
        let node = &shape.node;
        let (file, ports) = (format!("{node}.yaml"), format!("{node}.ports"));
        fs::write(folder.join(&file), text(control, shape))?;
        let script = Script {
            name: node.clone(),
            program: place.outrigger.clone(),
            arguments: ["proxy", "-f", &file, "--ports-file", &ports].map(str::to_owned).to_vec(),
            folder: folder.to_owned(),
            core,
        };
        let mut part = Part::start(script)?;
        let ports = folder.join(ports);
        let (outbound, inbound, health) = listening(&mut part, &ports).await?;
        Ok(Self { part, outbound, inbound, health, ports })
    }

    /// Comes back, on other ports.
    pub async fn again(&mut self) -> Result<(), StageError> {
        fs::remove_file(&self.ports)?;
        self.part.again()?;
        (self.outbound, self.inbound, self.health) = listening(&mut self.part, &self.ports).await?;
        Ok(())
    }
}

async fn listening(part: &mut Part, file: &Path) -> Result<(SocketAddr, SocketAddr, SocketAddr), StageError> {
    let ports = async || Some((port(file, "outbound")?, port(file, "inbound")?, port(file, "health")?));
    part.until("does not listen", ports).await
}

fn text(control: SocketAddr, shape: &Shape) -> String {
    let mut text = format!(
        "node: {}\nlisten: {{outbound: \"127.0.0.1:0\", inbound: \"127.0.0.1:0\", admin: \"127.0.0.1:0\", \
         health: \"127.0.0.1:0\"}}\ncontrol: {{address: \"{control}\"}}\nthreads: 1\n",
        shape.node
    );
    if !shape.agents.is_empty() {
        text.push_str("agents:\n");
    }
    for (replica, address) in &shape.agents {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  - {{name: echo, replica: {replica}, url: \"http://{address}/mcp\", version: 1.0.0}}");
    }
    if let Some(url) = &shape.redis_url {
        let _ = writeln!(text, "sessions: {{redis_url: \"{url}\"}}");
    }
    text.push_str(&shape.also);
    text
}
