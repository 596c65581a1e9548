//! The strict look at a request's head before anything else is done with it.
//!
//! In: the head as it was parsed, and the rules of the listener. Out: nothing, or the refusal.
//! Why: parsers are lax where an attacker is not. A head that two servers could read in two ways is refused here, and a
//! browser that was lured to a loopback port (DNS rebinding) is recognised by its `Host` and its `Origin`.
//! Never here: what MCP headers mean.

use std::net::Ipv6Addr;

use http::uri::Authority;

use crate::http1::body::Framing;
use crate::http1::field::{Fields, Name};
use crate::http1::head::RequestHead;
use crate::refusal::{Malformed, Refusal};
use crate::site::Site;

/// The port of a URL that names none.
const HTTP_PORT: u16 = 80;

/// Whom a listener answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    /// Hosts besides the loopback names, in lower case, with a port (`mesh.example:8080`) or for every port.
    pub hosts: Vec<String>,
    /// Origins besides loopback ones, such as `https://console.example`.
    pub origins: Vec<String>,
    /// A target that is a whole URL may have any host: who writes one takes us for its HTTP proxy, which no page in a browser can
    /// make it do, and [`Outside`](crate::outside::Outside) says where it may go.
    pub forwards: bool,
}

/// The rules of one listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// `None`: any host and any origin. For listeners whose callers prove who they are.
    pub hosts: Option<Hosts>,
    pub headers_max: usize,
    /// Names and values together.
    pub header_bytes_max: usize,
}

/// Checks everything that can be wrong with a head; what ends its body.
pub fn check(head: &RequestHead, rules: &Rules) -> Result<Framing, Refusal> {
    if head.fields.count() > rules.headers_max || head.size() > rules.header_bytes_max {
        return Err(Refusal::HeadTooLarge);
    }
    let forwards = rules.hosts.as_ref().is_some_and(|hosts| hosts.forwards);
    if head.method() == b"TRACE" || head.method() == b"CONNECT" && !forwards {
        // The one asks for all headers back, credentials among them, the other for a tunnel.
        return Err(Refusal::Malformed(Malformed::Method));
    }
    if head.fields.has(Name::Disguised) {
        return Err(Refusal::Malformed(Malformed::Disguised));
    }
    check_expectation(&head.fields)?;
    let framing = Framing::of_request(&head.fields, head.is_http10).map_err(Refusal::Malformed)?;
    let host = host(head)?;
    if let Some(allowed) = &rules.hosts {
        let elsewhere = head.target_authority().is_some() || head.connects_to().is_some();
        if !(allowed.forwards && elsewhere) {
            allowed.check_host(host)?;
        }
        allowed.check_origin(&head.fields)?;
    }
    Ok(framing)
}

/// RFC 9110 section 10.1.1 knows one expectation, which we meet ourselves.
fn check_expectation(fields: &Fields) -> Result<(), Refusal> {
    if !fields.has(Name::Expect) {
        return Ok(());
    }
    match fields.once(Name::Expect) {
        Ok(Some(value)) if value.eq_ignore_ascii_case(b"100-continue") => Ok(()),
        _ => Err(Refusal::Malformed(Malformed::Expect)),
    }
}

/// The one host of a request.
fn host(head: &RequestHead) -> Result<&str, Refusal> {
    let missing = Refusal::Malformed(Malformed::Host);
    let bad = Refusal::Malformed(Malformed::HostText);
    let Ok(Some(host)) = head.fields.once(Name::Host) else { return Err(missing) };
    let host = std::str::from_utf8(host).map_err(|_| bad.clone())?;
    if !is_usual_loopback(host) {
        check_authority(host).ok_or(bad.clone())?;
    }
    // A tunnel is opened before any request for its site is made: what a Host there means is not settled among clients.
    if let Some(target) = head.target_authority() {
        let site = |text| Site::parse(text, Some(HTTP_PORT));
        if site(target).is_none_or(|target| site(host) != Some(target)) {
            return Err(bad);
        }
    }
    Ok(host)
}

/// What agents write, told without taking it apart.
fn is_usual_loopback(host: &str) -> bool {
    let port = host.strip_prefix("127.0.0.1").or_else(|| host.strip_prefix("localhost"));
    port.is_some_and(|port| match port.strip_prefix(':') {
        Some(digits) => digits.parse::<u16>().is_ok() && !digits.starts_with('+'),
        None => port.is_empty(),
    })
}

/// A host with an optional port. `user@host` and `host:` are authorities of a URL, never of a Host.
fn check_authority(text: &str) -> Option<Authority> {
    let host = Authority::try_from(text).ok()?;
    let port_is_good = match host.as_str().strip_prefix(host.host())? {
        "" => true,
        // A number in Rust may have a sign, a port has none.
        port => host.port_u16().is_some() && !port.contains('+'),
    };
    let address = host.host().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address_is_good = address.is_none_or(|address| address.parse::<Ipv6Addr>().is_ok());
    (port_is_good && address_is_good && !host.host().is_empty()).then_some(host)
}

impl Hosts {
    fn check_host(&self, text: &str) -> Result<(), Refusal> {
        if is_usual_loopback(text) || check_authority(text).is_some_and(|host| self.takes_host(&host)) {
            return Ok(());
        }
        Err(Refusal::HostNotAllowed { host: text.to_owned() })
    }

    fn check_origin(&self, fields: &Fields) -> Result<(), Refusal> {
        let origin = fields.once(Name::Origin).map_err(|_| Refusal::Malformed(Malformed::Origin))?;
        let Some(origin) = origin else { return Ok(()) };
        let text = std::str::from_utf8(origin).unwrap_or_default();
        if self.takes_origin(text) {
            return Ok(());
        }
        Err(Refusal::OriginNotAllowed { origin: text.to_owned() })
    }

    /// Whether an authority is that of the listener with this port, and no other place of this machine.
    pub fn are_at(&self, authority: &str, site: &Site, port: u16) -> bool {
        let ours = is_loopback(site.host()) || site.host() == "::1";
        let listed = || Authority::try_from(authority).is_ok_and(|host| self.lists(&host));
        ours && site.port() == port || listed()
    }

    fn lists(&self, host: &Authority) -> bool {
        let is =
            |allowed: &String| allowed.eq_ignore_ascii_case(host.as_str()) || allowed.eq_ignore_ascii_case(host.host());
        self.hosts.iter().any(is)
    }

    fn takes_host(&self, host: &Authority) -> bool {
        is_loopback(host.host()) || self.lists(host)
    }

    fn takes_origin(&self, origin: &str) -> bool {
        if self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
            return true;
        }
        let place = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        let place = place.and_then(|place| Authority::try_from(place).ok());
        place.is_some_and(|place| is_loopback(place.host()) && !place.as_str().contains('@'))
    }
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]") || host.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests;
