//! The four sockets, bound before anything else begins.

use std::io;
use std::net::{SocketAddr, TcpListener};

use serde::Serialize;

use super::error::StartError;
use crate::config::settings::Listen;
use crate::gateway::bind;

/// Where the proxy really listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ports {
    pub outbound: SocketAddr,
    pub inbound: SocketAddr,
    pub admin: SocketAddr,
    pub health: SocketAddr,
}

/// Bound sockets that nobody serves yet.
pub(super) struct Doors {
    pub outbound: TcpListener,
    pub inbound: TcpListener,
    pub admin: TcpListener,
    pub health: TcpListener,
}

impl Doors {
    pub(super) fn open(listen: &Listen) -> Result<Self, StartError> {
        let open = |key, address| bind(address).map_err(|cause| StartError::Listen { key, address, cause });
        Ok(Self {
            outbound: open("listen.outbound", listen.outbound)?,
            inbound: open("listen.inbound", listen.inbound)?,
            admin: open("listen.admin", listen.admin)?,
            health: open("listen.health", listen.health)?,
        })
    }

    pub(super) fn ports(&self) -> io::Result<Ports> {
        Ok(Ports {
            outbound: self.outbound.local_addr()?,
            inbound: self.inbound.local_addr()?,
            admin: self.admin.local_addr()?,
            health: self.health.local_addr()?,
        })
    }
}
