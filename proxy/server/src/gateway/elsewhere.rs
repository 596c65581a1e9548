//! From a site that the operator listed to an address that may be connected to.
//!
//! In: a site. Out: the one address that was checked, and nothing else is connected to; or a refusal.
//! Never here: which sites are listed; it is the core's `outside`.
//! Invariant: no address of our own listeners is given out, under whatever name, so that no call goes round in a circle.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use outrigger_proxy_core::outside::Outside;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::site::{Site, may_connect};

use super::upstream::first_that_answers;

/// For connecting, a resolver's answer included.
pub const CONNECT_TIME: Duration = Duration::from_secs(5);

/// Where calls may go beyond the mesh, and what of it is us.
#[derive(Debug, Clone, Default)]
pub struct Elsewhere {
    pub outside: Outside,
    /// The port of the listener for the own agents.
    pub outbound_port: u16,
    /// All listeners of this process.
    pub listeners: Vec<SocketAddr>,
    /// A tunnel in which nothing moves ends after this long.
    pub tunnel_idle: Duration,
}

impl Elsewhere {
    /// The address of a listed site.
    pub async fn address(&self, site: &Site) -> Result<SocketAddr, Refusal> {
        let unreachable = || Refusal::ForwardUnreachable { site: site.to_string() };
        let found: Vec<SocketAddr> = match site.address() {
            Some(address) => vec![address],
            None => {
                let asking = tokio::net::lookup_host((site.host(), site.port()));
                let found = tokio::time::timeout(CONNECT_TIME, asking).await.map_err(|_| unreachable())?;
                found.map_err(|_| unreachable())?.collect()
            }
        };
        if found.is_empty() {
            return Err(unreachable());
        }
        let good: Vec<SocketAddr> = found.into_iter().filter(|address| self.may_connect(*address)).collect();
        match good.as_slice() {
            [] => Err(Refusal::ForwardAddress { site: site.to_string() }),
            [one] => Ok(*one),
            several => first_that_answers(several, CONNECT_TIME).await.map_err(|_| unreachable()),
        }
    }

    fn may_connect(&self, address: SocketAddr) -> bool {
        may_connect(address, &self.outside.allowed) && !self.is_us(address)
    }

    fn is_us(&self, address: SocketAddr) -> bool {
        self.listeners.iter().any(|listener| listener.port() == address.port()) && is_local(address.ip().to_canonical())
    }
}

/// Whether an address is one of this machine's: only those can be bound.
fn is_local(ip: IpAddr) -> bool {
    ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests;
