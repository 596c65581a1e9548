//! Where an endpoint listens, and which addresses a registration may name.
//!
//! In: an address as a proxy advertises it, the address it connected from, what operators allow. Out: yes, or why not.
//! Invariant: unspecified, multicast, broadcast and link-local addresses, and those where clouds serve credentials, are never accepted.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// Where clouds serve credentials to who asks from the inside, beside the link-local address that most use.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

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
    #[error(
        "address {0} can never be an endpoint (unspecified, multicast, broadcast, link-local, or where a cloud serves credentials)"
    )]
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
        IpAddr::V4(ip) => {
            let is_odd = ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast() || ip.is_link_local();
            is_odd || METADATA_V4.contains(&ip)
        }
        IpAddr::V6(ip) => {
            let is_odd = ip.is_unspecified() || ip.is_multicast() || ip.is_unicast_link_local();
            is_odd || ip == METADATA_V6 || translated(ip).is_some_and(|ip| is_never_an_endpoint(IpAddr::V4(ip)))
        }
    }
}

/// The IPv4 address that a translator (NAT64) takes an address for.
fn translated(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = ip.segments() else { return None };
    Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests;
