//! The echo agent as a process that comes back on the same port.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::part::{Part, Script, StageError};
use crate::peers::Place;

#[derive(Debug)]
pub struct Agent {
    pub part: Part,
    pub address: SocketAddr,
    port_file: PathBuf,
}

impl Agent {
    /// `kind` is the command of this program that serves it: `agent`, or another with the same options.
    pub async fn start(
        place: &Place,
        folder: &Path,
        kind: &str,
        name: &str,
        also: &[String],
    ) -> Result<Self, StageError> {
        let port_file = folder.join(format!("{name}.port"));
        let file = port_file.display().to_string();
        let arguments = [kind, "--name", name, "--port-file", &file].map(str::to_owned);
        let script = Script {
            name: name.to_owned(),
            program: place.load.clone(),
            arguments: arguments.into_iter().chain(also.iter().cloned()).collect(),
            folder: folder.to_owned(),
            core: place.cores.agent,
        };
        let mut part = Part::start(script)?;
        let address = listening(&mut part, &port_file).await?;
        part.script.arguments.extend(["--port".to_owned(), address.port().to_string()]);
        Ok(Self { part, address, port_file })
    }

    pub async fn again(&mut self) -> Result<(), StageError> {
        fs::remove_file(&self.port_file)?;
        self.part.again()?;
        listening(&mut self.part, &self.port_file).await.map(drop)
    }
}

async fn listening(part: &mut Part, file: &Path) -> Result<SocketAddr, StageError> {
    part.until("does not listen", async || fs::read_to_string(file).ok()?.trim().parse().ok()).await
}
