//! The strict look at a request's head before anything else is done with it.
//!
//! In: the head as it was parsed, and the rules of the listener. Out: nothing, or the refusal.
//! Why: parsers are lax where an attacker is not. A head that two servers could read in two ways is refused here, and a
//! browser that was lured to a loopback port (DNS rebinding) is recognised by its `Host` and its `Origin`.
//! Never here: what MCP headers mean.

use http::header::{CONTENT_LENGTH, HOST, ORIGIN, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Version};

use crate::refusal::{Malformed, Refusal};

/// Whom a listener answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    /// Hosts besides the loopback names, in lower case, with a port (`mesh.example:8080`) or for every port.
    pub hosts: Vec<String>,
    /// Origins besides loopback ones, such as `https://console.example`.
    pub origins: Vec<String>,
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

/// Checks everything that can be wrong with a head.
pub fn check(head: &Parts, rules: &Rules) -> Result<(), Refusal> {
    check_size(head, rules)?;
    check_framing(head)?;
    let host = host(head)?;
    let Some(allowed) = &rules.hosts else { return Ok(()) };
    if !allowed.takes_host(&host) {
        return Err(Refusal::HostNotAllowed { host: host.as_str().to_owned() });
    }
    check_origin(&head.headers, allowed)
}

fn check_size(head: &Parts, rules: &Rules) -> Result<(), Refusal> {
    let path = head.uri.path_and_query().map_or(0, |path| path.as_str().len());
    let bytes = head.headers.iter().fold(path, |sum, (name, value)| sum + name.as_str().len() + value.len());
    if head.headers.len() > rules.headers_max || bytes > rules.header_bytes_max {
        return Err(Refusal::HeadTooLarge);
    }
    Ok(())
}

/// RFC 9112 section 6: who sends both lengths, or two of one, may be smuggling a second request.
fn check_framing(head: &Parts) -> Result<(), Refusal> {
    let mut lengths = head.headers.get_all(CONTENT_LENGTH).iter();
    let mut encodings = head.headers.get_all(TRANSFER_ENCODING).iter();
    let length = lengths.next();
    let encoding = encodings.next();
    if length.is_some() && encoding.is_some() {
        return Err(Refusal::Malformed(Malformed::LengthAndEncoding));
    }
    let is_number = |value: &[u8]| !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    if lengths.next().is_some() || length.is_some_and(|value| !is_number(value.as_bytes())) {
        return Err(Refusal::Malformed(Malformed::Length));
    }
    let is_chunked = |value: &[u8]| value.trim_ascii().eq_ignore_ascii_case(b"chunked");
    if encodings.next().is_some() || encoding.is_some_and(|value| !is_chunked(value.as_bytes())) {
        return Err(Refusal::Malformed(Malformed::Encoding));
    }
    Ok(())
}

/// The one host of a request. HTTP/2 says it in the target and may leave the header out.
fn host(head: &Parts) -> Result<Authority, Refusal> {
    let mut hosts = head.headers.get_all(HOST).iter();
    let header = hosts.next();
    if hosts.next().is_some() {
        return Err(Refusal::Malformed(Malformed::Host));
    }
    let host: Authority = match (header, head.uri.authority()) {
        (Some(header), target) => {
            let bad = Refusal::Malformed(Malformed::HostText);
            let host = Authority::try_from(header.as_bytes()).map_err(|_| bad.clone())?;
            if target.is_some_and(|target| target != &host) {
                return Err(bad);
            }
            host
        }
        (None, Some(target)) if head.version >= Version::HTTP_2 => target.clone(),
        (None, _) => return Err(Refusal::Malformed(Malformed::Host)),
    };
    // `user@host` and `host:` are authorities of a URL, never of a Host.
    let port_is_good = match host.as_str().strip_prefix(host.host()) {
        Some("") => true,
        Some(_) => host.port_u16().is_some(),
        None => false,
    };
    if !port_is_good || host.host().is_empty() {
        return Err(Refusal::Malformed(Malformed::HostText));
    }
    Ok(host)
}

fn check_origin(headers: &HeaderMap, allowed: &Hosts) -> Result<(), Refusal> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    if origins.next().is_some() {
        return Err(Refusal::Malformed(Malformed::Origin));
    }
    let text = origin.to_str().unwrap_or_default();
    if allowed.takes_origin(text) {
        return Ok(());
    }
    Err(Refusal::OriginNotAllowed { origin: text.to_owned() })
}

impl Hosts {
    fn takes_host(&self, host: &Authority) -> bool {
        let listed =
            |allowed: &String| allowed.eq_ignore_ascii_case(host.as_str()) || allowed.eq_ignore_ascii_case(host.host());
        is_loopback(host.host()) || self.hosts.iter().any(listed)
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
