//! The agent's own URL where its caller compares it with the one that it called.
//!
//! In: a head or a document of an agent, what the agent calls itself, and what its caller called. Out: the same with one value changed,
//! or nothing if there is nothing of the agent's own in it.
//! Two values are compared by clients: `resource` of the protected resource's metadata (RFC 9728 section 3.3), and
//! `resource_metadata` of a challenge (section 5.1), which must lead to the former. No other byte is changed.
//! Invariant: a URL that is not the agent's own, an authorisation server's say, stays as it is.

use std::ops::Range;

use http::StatusCode;

use crate::asked::{Part, Server};
use crate::http1::head::ResponseHead;
use crate::site::Site;

const PARAMETER: &[u8] = b"resource_metadata";

/// A server by one of its names.
#[derive(Debug, Clone, Copy)]
pub struct Name<'a> {
    /// Host with an optional port, as it is written.
    pub authority: &'a str,
    pub server: Server<'a>,
}

/// What the agent calls itself becomes what its caller called.
#[derive(Debug, Clone, Copy)]
pub struct Renaming<'a> {
    pub from: Name<'a>,
    pub to: Name<'a>,
}

impl Renaming<'_> {
    /// A URL of the agent's, if it is one.
    pub fn url(&self, text: &str) -> Option<String> {
        let rest = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://")).and_then(|_| text.get(7..))?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let site = |text| Site::parse(text, Some(80));
        if !site(authority)?.is_at(&site(self.from.authority)?) {
            return None;
        }
        let (from, to) = (self.from.server, self.to.server);
        let whole = path.trim_end_matches('/') == from.root
            && path.trim_end_matches('/') != from.endpoint.trim_end_matches('/');
        let path = match Part::at(from, path) {
            _ if whole => format!("{}{}", to.root, path.get(from.root.len()..)?),
            part => part?.path(to),
        };
        Some(format!("http://{}{path}", self.to.authority))
    }

    /// The head of an answer with another `resource_metadata` in its challenges.
    pub fn challenge(&self, head: &ResponseHead) -> Option<ResponseHead> {
        if !matches!(head.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return None;
        }
        let mut changed = false;
        let head = rewritten(head, |name, value| {
            let range = name.eq_ignore_ascii_case(b"www-authenticate").then(|| metadata_in(value)).flatten()?;
            let url = self.url(std::str::from_utf8(value.get(range.clone())?).ok()?)?;
            changed = true;
            Some(Some(spliced(value, range, &url)))
        })?;
        changed.then_some(head)
    }

    /// The metadata of a protected resource with another `resource`.
    pub fn resource(&self, json: &[u8]) -> Option<Vec<u8>> {
        let range = string_of(json, b"resource")?;
        // A slash is the one letter of such a URL that some writers escape.
        let text = std::str::from_utf8(json.get(range.clone())?).ok()?.replace("\\/", "/");
        Some(spliced(json, range, &self.url(&text)?))
    }
}

/// The same head for a body of another length, which has no framing but that.
pub fn with_length(head: &ResponseHead, length: usize) -> Option<ResponseHead> {
    let framing =
        |name: &[u8]| name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"transfer-encoding");
    let mut head = rewritten(head, |name, _| framing(name).then_some(None))?;
    let mut bytes = head.written();
    bytes.truncate(bytes.len().checked_sub(2)?);
    bytes.extend_from_slice(format!("Content-Length: {length}\r\n\r\n").as_bytes());
    let is_http10 = head.is_http10;
    head = ResponseHead::take(&mut bytes).ok().flatten()?;
    head.is_http10 = is_http10;
    Some(head)
}

/// A head with some fields changed, or left out where `change` says so.
fn rewritten(
    head: &ResponseHead,
    mut change: impl FnMut(&[u8], &[u8]) -> Option<Option<Vec<u8>>>,
) -> Option<ResponseHead> {
    let mut bytes = head.first_line();
    for (_, name, value) in head.fields.iter() {
        let value = match change(name, value) {
            None => value.to_vec(),
            Some(Some(value)) => value,
            Some(None) => continue,
        };
        for part in [name, b": ", &value, b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    let mut parsed = ResponseHead::take(&mut bytes).ok().flatten()?;
    parsed.is_http10 = head.is_http10;
    Some(parsed)
}

fn spliced(bytes: &[u8], range: Range<usize>, with: &str) -> Vec<u8> {
    let part = |range: Range<usize>| bytes.get(range).unwrap_or_default();
    [part(0..range.start), with.as_bytes(), part(range.end..bytes.len())].concat()
}

/// Where the value of the parameter stands in a challenge, without its quotes.
fn metadata_in(challenge: &[u8]) -> Option<Range<usize>> {
    let (mut at, mut quoted) = (0, false);
    while let Some(byte) = challenge.get(at) {
        let begins = !quoted && (at == 0 || matches!(challenge.get(at - 1), Some(b' ' | b',' | b'\t')));
        if begins && challenge.get(at..at + PARAMETER.len()).is_some_and(|name| name.eq_ignore_ascii_case(PARAMETER)) {
            let rest = challenge.get(at + PARAMETER.len()..)?;
            let value = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
            let start = challenge.len() - value.len();
            return Some(match value.strip_prefix(b"\"") {
                Some(text) => start + 1..start + 1 + text.iter().position(|byte| *byte == b'"')?,
                None => start..start + value.iter().position(|byte| matches!(byte, b',' | b' ')).unwrap_or(value.len()),
            });
        }
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where the string stands, without its quotes, that is the value of `key` in the outermost object of a JSON text.
fn string_of(json: &[u8], key: &[u8]) -> Option<Range<usize>> {
    let mut at = 0;
    let (mut depth, mut name, mut is_value) = (0u32, None::<Range<usize>>, false);
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => {
                let end = string_end(json, at + 1)?;
                let text = at + 1..end;
                if depth == 1 && is_value && name.take().is_some_and(|name| json.get(name) == Some(key)) {
                    return Some(text);
                }
                if depth == 1 && !is_value {
                    name = Some(text);
                }
                at = end;
            }
            b'{' | b'[' => depth = depth.checked_add(1)?,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b':' if depth == 1 => is_value = true,
            b',' if depth == 1 => is_value = false,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where the quote stands that ends a string.
fn string_end(json: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match json.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests;
