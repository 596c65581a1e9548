//! The general-purpose proxies: nginx, HAProxy and Envoy, each with one worker.
//!
//! In: where the agents are, one hop or two. Out: the children, and the address to call.
//! Invariant: for two hops the same proxy is started twice, with mTLS between the two.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use super::certificates::{self, CertificateError, PEER};
use super::child::{Child, ChildError, Line};
use super::place::{Place, free_address};
use super::template::{OpenPlace, fill};
use crate::scenario::{PeerName, Way};

#[derive(Debug, thiserror::Error)]
pub enum PlainError {
    #[error("{0} is not installed; run load-tests/setup.sh")]
    NotInstalled(&'static str),
    #[error("no agent to pass calls to")]
    Nowhere,
    #[error("configuration cannot be read or written")]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Place(#[from] OpenPlace),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Child(#[from] ChildError),
}

/// A peer by its program, the ending of its configurations, and its role where calls go one hop.
#[derive(Debug, Clone, Copy)]
pub struct Plain {
    pub program: &'static str,
    ending: &'static str,
    one_hop: &'static str,
}

impl Plain {
    pub fn of(name: PeerName) -> Option<Self> {
        let (program, ending, one_hop) = match name {
            PeerName::Nginx => ("nginx", "conf", "plain"),
            PeerName::Haproxy => ("haproxy", "cfg", "plain"),
            PeerName::Envoy => ("envoy", "yaml", "plain"),
            PeerName::EnvoyMcp => ("envoy", "yaml", "mcp"),
            PeerName::EnvoyStateful => ("envoy", "yaml", "stateful"),
            PeerName::Direct
            | PeerName::Outrigger
            | PeerName::OutriggerOneRoute
            | PeerName::OutriggerHundredRoutes
            | PeerName::OutriggerTenThousandRoutes
            | PeerName::OutriggerChanging
            | PeerName::OutriggerTenThousandRoutesChanging => return None,
        };
        Some(Self { program, ending, one_hop })
    }

    pub fn start(
        self,
        place: &Place,
        way: Way,
        agents: &[SocketAddr],
        folder: &Path,
    ) -> Result<(Vec<Child>, SocketAddr), PlainError> {
        match way {
            Way::OneHop => {
                let listen = free_address()?;
                Ok((vec![self.child(place, self.one_hop, listen, agents, folder)?], listen))
            }
            Way::TwoHopsMtls => {
                certificates::write(folder)?;
                let (caller, between) = (free_address()?, free_address()?);
                let inner = self.child(place, "mtls-in", between, agents, folder)?;
                let outer = self.child(place, "mtls-out", caller, &[between], folder)?;
                Ok((vec![outer, inner], caller))
            }
        }
    }

    /// Fills `peers/PROGRAM.ROLE.ENDING` and starts the program on it.
    fn child(
        self,
        place: &Place,
        role: &str,
        listen: SocketAddr,
        upstreams: &[SocketAddr],
        folder: &Path,
    ) -> Result<Child, PlainError> {
        let binary = place.program(self.program).ok_or(PlainError::NotInstalled(self.program))?;
        let name = format!("{}.{role}.{}", self.program, self.ending);
        let text = fs::read_to_string(place.home.join("peers").join(&name))?;
        let upstream = upstreams.first().copied().ok_or(PlainError::Nowhere)?;
        let values = [
            ("LISTEN", listen.to_string()),
            ("LISTEN_PORT", listen.port().to_string()),
            ("UPSTREAM", upstream.to_string()),
            ("UPSTREAM_PORT", upstream.port().to_string()),
            ("ENDPOINTS", endpoints(upstreams)),
            ("FOLDER", folder.display().to_string()),
            ("ROLE", role.to_owned()),
            ("PEER", PEER.to_owned()),
        ];
        let filled = folder.join(&name);
        fs::write(&filled, fill(&name, &text, &values)?)?;
        let file = filled.display().to_string();
        let prefix = folder.display().to_string();
        let arguments: Vec<&str> = match self.program {
            "nginx" => vec!["-p", &prefix, "-e", "stderr", "-c", &file],
            "haproxy" => vec!["-db", "-q", "-f", &file],
            _ => vec!["-c", &file, "--concurrency", "1", "--disable-hot-restart", "-l", "error"],
        };
        let program = binary.display().to_string();
        let line = Line { program: &program, arguments: &arguments, folder, name: &name, core: place.cores.proxy };
        Ok(Child::start(&line)?)
    }
}

/// All upstreams, as Envoy writes them.
fn endpoints(upstreams: &[SocketAddr]) -> String {
    let endpoints = upstreams.iter().map(|upstream| {
        let (address, port) = (upstream.ip(), upstream.port());
        format!("{{endpoint: {{address: {{socket_address: {{address: {address}, port_value: {port}}}}}}}}}")
    });
    format!("[{}]", endpoints.collect::<Vec<_>>().join(", "))
}
