//! Where an agent says that it listens, as an address that control may take into the mesh.
//!
//! In: `http_host` and `http_port`, who says so, the networks that operators allow. Out: one address, or why not.
//! Never here: the rule for addresses (the model has it).
//! Invariant: a host is an address in its usual form or a name; of a name every address has to be allowed, not only the one that is taken.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use outrigger_model::address::{self, AddressRefused, Cidr};

/// How long the system may take to resolve a name.
const RESOLVED_WITHIN: Duration = Duration::from_secs(2);
/// More addresses than a service has.
const ADDRESSES_MAX: usize = 64;
const NAME_BYTES_MAX: usize = 253;

#[derive(Debug, thiserror::Error)]
pub enum BadPlace {
    #[error("http_host and http_port are needed: an agent is registered under the address where it listens")]
    Missing,
    #[error("http_host `{0}` is neither an address such as 10.0.0.5 nor a host name")]
    Host(String),
    #[error("http_host `{0}` cannot be resolved")]
    Unresolved(String),
    #[error(transparent)]
    Refused(#[from] AddressRefused),
    #[error(
        "{0} is beyond loopback, where calls need an identity: start a proxy beside the agent, or set `insecure: true` on control for a closed network"
    )]
    Plaintext(SocketAddr),
}

/// Who asks, and by which rules.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    pub from: IpAddr,
    pub networks: &'a [Cidr],
    /// Whether plaintext is allowed beyond loopback.
    pub is_insecure: bool,
}

impl Asker<'_> {
    pub async fn place(&self, host: &str, port: u16) -> Result<SocketAddr, BadPlace> {
        if host.is_empty() || port == 0 {
            return Err(BadPlace::Missing);
        }
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return self.judge(SocketAddr::new(ip, port));
        }
        if !is_name(host) {
            return Err(BadPlace::Host(host.chars().take(128).collect()));
        }
        let unresolved = || BadPlace::Unresolved(host.to_owned());
        let found = tokio::time::timeout(RESOLVED_WITHIN, tokio::net::lookup_host((host, port))).await;
        let found: Vec<SocketAddr> =
            found.map_err(|_| unresolved())?.map_err(|_| unresolved())?.take(ADDRESSES_MAX).collect();
        let mut first = None;
        for address in found {
            let judged = self.judge(address)?;
            // Where a name has both, agents listen on the older form far more often.
            first = match first {
                Some(SocketAddr::V4(_)) => first,
                Some(SocketAddr::V6(_)) if judged.is_ipv6() => first,
                _ => Some(judged),
            };
        }
        first.ok_or_else(unresolved)
    }

    fn judge(&self, address: SocketAddr) -> Result<SocketAddr, BadPlace> {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        address::judge(address, self.from, self.networks)?;
        if !self.is_insecure && !address.ip().is_loopback() {
            return Err(BadPlace::Plaintext(address));
        }
        Ok(address)
    }
}

/// A name that no resolver reads as a number: `2130706433`, `0x7f.1` and `127.1` are addresses in disguise.
fn is_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(fits) && !label.starts_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").or(last.strip_prefix("0X")).is_some_and(is_hex);
    host.len() <= NAME_BYTES_MAX && host.split('.').all(is_label) && !is_number
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
