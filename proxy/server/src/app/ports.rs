//! The four sockets, bound before anything else begins.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use serde::Serialize;

use super::error::StartError;
use crate::config::settings::Listen;
use crate::gateway::bind;
use crate::handover::listeners::Listeners;

/// Where the proxy really listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ports {
    pub outbound: SocketAddr,
    pub inbound: SocketAddr,
    pub admin: SocketAddr,
    pub health: SocketAddr,
}

impl Ports {
    /// All of them.
    pub(super) fn numbers(&self) -> Vec<u16> {
        [self.outbound, self.inbound, self.admin, self.health].map(|address| address.port()).to_vec()
    }

    /// Where agents of this machine reach the outbound listener.
    pub(super) fn outbound_from_here(&self) -> SocketAddr {
        let ip = match self.outbound.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.outbound.port())
    }
}

/// Opens the four sockets. One that a process before had at the same address is taken from it.
pub(super) fn open(listen: &Listen, held: Option<Listeners>) -> Result<Listeners, StartError> {
    let (outbound, inbound, admin, health) = match held {
        Some(Listeners { outbound, inbound, admin, health }) => {
            (Some(outbound), Some(inbound), Some(admin), Some(health))
        }
        None => (None, None, None, None),
    };
    Ok(Listeners {
        outbound: one("listen.outbound", listen.outbound, outbound)?,
        inbound: one("listen.inbound", listen.inbound, inbound)?,
        admin: one("listen.admin", listen.admin, admin)?,
        health: one("listen.health", listen.health, health)?,
    })
}

fn one(key: &'static str, address: SocketAddr, held: Option<TcpListener>) -> Result<TcpListener, StartError> {
    match held {
        Some(listener) if listener.local_addr().is_ok_and(|real| is_meant(address, real)) => Ok(listener),
        _ => bind(address).map_err(|cause| StartError::Listen { key, address, cause }),
    }
}

/// Port 0 means any.
fn is_meant(wanted: SocketAddr, real: SocketAddr) -> bool {
    wanted.ip() == real.ip() && (wanted.port() == 0 || wanted.port() == real.port())
}

pub(super) fn of(listeners: &Listeners) -> io::Result<Ports> {
    Ok(Ports {
        outbound: listeners.outbound.local_addr()?,
        inbound: listeners.inbound.local_addr()?,
        admin: listeners.admin.local_addr()?,
        health: listeners.health.local_addr()?,
    })
}
