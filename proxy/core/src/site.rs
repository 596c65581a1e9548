//! Hosts with ports, and lists of them.
//!
//! In: text of a URL, of a configuration, of a resolver's answer. Out: values that compare as the places they name.
//! Invariant: a name on the list does not open what it happens to resolve to: loopback, the link, and what nobody can be at stay
//! closed unless they are on the list themselves.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::uri::Authority;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Site {
    /// Lower case, without brackets.
    host: String,
    port: u16,
}

/// A host with one port or all of them: `api.example:443`, `127.0.0.1:*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    host: String,
    /// None: any.
    port: Option<u16>,
}

/// The text is neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSite {
    #[error("`{0}` is not host:port; write it like 127.0.0.1:8080")]
    Site(String),
    #[error("`{0}` is not host:port; write it like api.example.com:443, or 127.0.0.1:* for every port")]
    Pattern(String),
}

impl Site {
    /// `host:port`, or `host` where a scheme has a port by default.
    pub fn parse(text: &str, default: Option<u16>) -> Option<Self> {
        let authority = Authority::try_from(text).ok()?;
        let port = match text.strip_prefix(authority.host())? {
            "" => default?,
            _ => authority.port_u16()?,
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        (!host.is_empty() && port > 0).then_some(Self { host, port })
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The address, where no resolver is needed to know it.
    pub fn address(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.host.parse().ok()?, self.port))
    }

    /// Whether both name one place; all names of loopback do.
    pub fn is_at(&self, other: &Self) -> bool {
        let same = self.host == other.host || is_loopback(&self.host) && is_loopback(&other.host);
        self.port == other.port && same
    }
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}

impl FromStr for Site {
    type Err = BadSite;

    fn from_str(text: &str) -> Result<Self, BadSite> {
        Self::parse(text, None).ok_or_else(|| BadSite::Site(text.to_owned()))
    }
}

impl fmt::Display for Site {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(out, "[{}]:{}", self.host, self.port)
        } else {
            write!(out, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Pattern {
    type Err = BadSite;

    fn from_str(text: &str) -> Result<Self, BadSite> {
        let bad = || BadSite::Pattern(text.to_owned());
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(bad)?;
        // Some letters that URLs allow in hosts would look like a wildcard here, and are in no name.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        if !host.bytes().all(is_plain) {
            return Err(bad());
        }
        let any = port == "*";
        let site = Site::parse(&format!("{host}:{}", if any { "1" } else { port }), None).ok_or_else(bad)?;
        Ok(Self { host: site.host, port: (!any).then_some(site.port) })
    }
}

impl Pattern {
    pub fn takes(&self, site: &Site) -> bool {
        self.host == site.host && self.takes_port(site.port)
    }

    fn takes_port(&self, port: u16) -> bool {
        self.port.is_none_or(|listed| listed == port)
    }

    /// Whether this very address was meant: it stands there, or `localhost` stands for it.
    fn means(&self, address: SocketAddr) -> bool {
        let listed: Option<IpAddr> = self.host.parse().ok();
        let ip = address.ip().to_canonical();
        let is =
            listed.is_some_and(|listed| listed.to_canonical() == ip) || self.host == "localhost" && ip.is_loopback();
        is && self.takes_port(address.port())
    }
}

/// Whether an address that a listed name leads to may be connected to.
pub fn may_connect(address: SocketAddr, listed: &[Pattern]) -> bool {
    is_ordinary(address.ip().to_canonical()) || listed.iter().any(|pattern| pattern.means(address))
}

/// An address at which some other machine can be.
fn is_ordinary(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, ..] = ip.octets();
            let special = ip.is_loopback() || ip.is_link_local() || ip.is_multicast() || ip.is_broadcast();
            // 0/8 is this host, 240/4 is nobody's.
            !special && first != 0 && first < 240
        }
        IpAddr::V6(ip) => {
            let [first, second, third, ..] = ip.segments();
            // Addresses that carry one of IPv4, which would have to be judged instead: mapped ones are by now, these not.
            let carries = first == 0 && second == 0 || first == 0x64 && second == 0xff9b || first == 0x2002;
            let teredo = first == 0x2001 && second == 0 && third < u16::MAX;
            let local = ip.is_unicast_link_local() || ip.is_unique_local() || first & 0xffc0 == 0xfec0;
            !(ip.is_multicast() || local || carries || teredo)
        }
    }
}

#[cfg(test)]
mod tests;
