//! The address that other proxies are told to dial.
//!
//! In: the inbound listener's address, the address of control. Out: an address with an IP of this machine in it.
//! How: a UDP socket that is connected (nothing is sent) knows the local address on the way to control.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::UdpSocket;

/// `inbound` itself unless it listens on every address; then the one that faces `control` (`host:port`).
pub async fn address(inbound: SocketAddr, control: &str) -> io::Result<SocketAddr> {
    if !inbound.ip().is_unspecified() {
        return Ok(inbound);
    }
    let facing = facing(control).await?;
    Ok(SocketAddr::new(facing, inbound.port()))
}

async fn facing(control: &str) -> io::Result<IpAddr> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "control's name leads to no address");
    for target in tokio::net::lookup_host(control).await? {
        let any: SocketAddr = if target.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        let socket = UdpSocket::bind(any).await?;
        match socket.connect(target).await {
            Ok(()) => return Ok(socket.local_addr()?.ip()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests;
