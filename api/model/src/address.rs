//! Where an endpoint listens, and which addresses a registration may name.
//!
//! In: an address as a proxy advertises it, the address it connected from, what operators allow. Out: yes, or why not.
//! Invariant: unspecified, multicast, broadcast and link-local addresses (cloud metadata lives there) are never accepted.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// A network in CIDR form, such as `10.0.0.0/8` or `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    bits: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a network such as 10.0.0.0/8 or fd00::/8")]
pub struct BadCidr(String);

/// Why an advertised address is not taken into the mesh.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefused {
    #[error("address {0} can never be an endpoint (unspecified, multicast, broadcast or link-local)")]
    Never(SocketAddr),
    #[error("port 0 of {0} cannot be dialled")]
    Port(SocketAddr),
    #[error(
        "address {address} is neither the address {from} that registered it nor in an allowed network; add its network to `registration.allow_networks`"
    )]
    NotAllowed { address: SocketAddr, from: IpAddr },
}

impl Cidr {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = BadCidr;

    fn from_str(text: &str) -> Result<Self, BadCidr> {
        let bad = || BadCidr(text.to_owned());
        let (network, bits) = text.split_once('/').ok_or_else(bad)?;
        let network: IpAddr = network.parse().map_err(|_| bad())?;
        let bits: u8 = bits.parse().map_err(|_| bad())?;
        let widest = if network.is_ipv4() { 32 } else { 128 };
        if bits > widest {
            return Err(bad());
        }
        Ok(Self { network, bits })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.network, self.bits)
    }
}

/// Whether a proxy that connected from `from` may advertise `address`.
///
/// A proxy may name its own address; loopback only if it came over loopback; anything else only inside `allowed`.
pub fn judge(address: SocketAddr, from: IpAddr, allowed: &[Cidr]) -> Result<(), AddressRefused> {
    let ip = address.ip().to_canonical();
    let from = from.to_canonical();
    if address.port() == 0 {
        return Err(AddressRefused::Port(address));
    }
    if is_never_an_endpoint(ip) {
        return Err(AddressRefused::Never(address));
    }
    let own = ip == from || (ip.is_loopback() && from.is_loopback());
    if own || allowed.iter().any(|network| network.contains(ip)) {
        return Ok(());
    }
    Err(AddressRefused::NotAllowed { address, from })
}

fn is_never_an_endpoint(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_multicast() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests;
