//! Where things are: the binaries, the configurations, the cores.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use super::cores::Cores;

/// What does not change over a bench.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder `load-tests`.
    pub home: PathBuf,
    /// This program, which is also the agent.
    pub load: PathBuf,
    pub outrigger: PathBuf,
    pub cores: Cores,
}

impl Place {
    /// `outrigger` is beside this program unless it is given.
    pub fn find(outrigger: Option<PathBuf>) -> std::io::Result<Self> {
        let load = std::env::current_exe()?;
        let beside = load.with_file_name("outrigger");
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).to_owned();
        Ok(Self { home, load, outrigger: outrigger.unwrap_or(beside), cores: Cores::of_this_machine() })
    }

    /// The program of a peer: what `setup.sh` put into `.peers/bin`, else from the system.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let own = [self.home.join(".peers/bin").join(name)];
        let system = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin"];
        let system = system.iter().map(|folder| Path::new(folder).join(name));
        own.into_iter().chain(system).find(|path| path.is_file())
    }
}

/// A port that was free a moment ago, for programs that cannot choose one themselves.
pub fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
