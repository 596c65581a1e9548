//! The heads of requests and answers.
//!
//! In: the bytes that came so far. Out: a whole head taken off their front, or that more is needed, or what is wrong.
//! Invariant: every line of a request's head ends in CRLF; a bare LF or CR is refused (RFC 9112 section 2.2), because the server
//! behind us might take it for the end of a line and we not, or the other way round.

use std::mem::MaybeUninit;
use std::sync::Arc;

use http::StatusCode;
use httparse::{Error, Header, ParserConfig, Status};

use crate::http1::field::{Fields, Found, Span};
use crate::refusal::{Malformed, Refusal};

/// Fields for which room is made at first.
const FIELDS_USUAL: usize = 64;
/// Most fields of a head, whatever a listener's own rule is.
const FIELDS_MAX: usize = 512;

/// The first line of a request and its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    pub fields: Fields,
    method: Span,
    target: Target,
    /// The site of the tunnel that it came through, if we read along in it.
    tunnel: Option<Arc<str>>,
    /// HTTP/1.0 knows no chunks, and its connections end after one request.
    pub is_http10: bool,
}

/// The parts of `/path?query` or of `http://host:port/path?query`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Target {
    authority: Option<Span>,
    path: Span,
    query: Option<Span>,
    is_http: bool,
}

/// The first line of an answer and its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    pub fields: Fields,
    pub status: StatusCode,
    reason: Span,
    pub is_http10: bool,
}

/// What an agent sent is not the head of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("answer is not HTTP/1.1")]
pub struct NotHttp;

/// A line of a request's head ends in a bare LF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct BareLf;

struct RequestParts {
    found: Found,
    method: Span,
    /// None if it has no form that we serve.
    target: Option<Target>,
    is_http10: bool,
}

struct ResponseParts {
    found: Found,
    status: StatusCode,
    reason: Span,
    is_http10: bool,
}

impl RequestHead {
    /// Takes a head off the front of `bytes` and leaves what follows it; `None` while it is not whole. `seen` is how many bytes
    /// an earlier look found not to be a whole head. An empty line in front does not count (RFC 9112 section 2.2).
    pub fn take(bytes: &mut Vec<u8>, seen: usize) -> Result<Option<Self>, Refusal> {
        if seen < 2 && bytes.starts_with(b"\r\n") {
            bytes.drain(..2);
        }
        match find_end(bytes, seen) {
            Ok(Some(end)) => Self::parse(take_front(bytes, end)).map(Some),
            Ok(None) => Ok(None),
            Err(BareLf) => Err(Refusal::Malformed(Malformed::Line)),
        }
    }

    /// Parses a whole head, the empty line at its end included.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Refusal> {
        // The parser would step over any number of empty lines, some of which end in a bare LF.
        if matches!(bytes.first(), Some(b'\r' | b'\n')) {
            return Err(Refusal::Malformed(Malformed::Line));
        }
        let parts = roomy(|room| request_parts(&bytes, room)).map_err(|error| match error {
            Error::TooManyHeaders => Refusal::HeadTooLarge,
            _ => Refusal::Malformed(Malformed::Line),
        })?;
        let Status::Complete((_, RequestParts { found, method, target, is_http10 })) = parts else {
            return Err(Refusal::Malformed(Malformed::Line));
        };
        let target = target.ok_or(Refusal::Malformed(Malformed::Target))?;
        Ok(Self { fields: Fields::new(bytes, found), method, target, tunnel: None, is_http10 })
    }

    /// The same request as it is meant: one that came through a tunnel to `site`.
    pub fn inside_tunnel(self, site: Arc<str>) -> Self {
        Self { tunnel: Some(site), ..self }
    }

    pub const fn is_inside_tunnel(&self) -> bool {
        self.tunnel.is_some()
    }

    /// `host:port` of a `CONNECT` (RFC 9110 section 9.3.6).
    pub fn connects_to(&self) -> Option<&str> {
        (self.method() == b"CONNECT").then(|| self.path())
    }

    pub fn method(&self) -> &[u8] {
        self.method.in_bytes(self.fields.bytes())
    }

    /// `host:port` of a target that is a whole URL (RFC 9112 section 3.2.2), or of the tunnel that it came through.
    pub fn target_authority(&self) -> Option<&str> {
        self.target.authority.map(|span| self.text(span)).or(self.tunnel.as_deref())
    }

    /// Whether a target that is a whole URL begins with `http://`.
    pub fn is_plain_http(&self) -> bool {
        self.target.is_http
    }

    pub fn path(&self) -> &str {
        self.text(self.target.path)
    }

    pub fn query(&self) -> Option<&str> {
        self.target.query.map(|span| self.text(span))
    }

    fn text(&self, span: Span) -> &str {
        std::str::from_utf8(span.in_bytes(self.fields.bytes())).unwrap_or_default()
    }

    /// Bytes of the head, as it came.
    pub fn size(&self) -> usize {
        self.fields.bytes().len()
    }
}

impl Target {
    /// A path, `*`, or a whole URL (RFC 9112 section 3.2); only of a tunnel, anything else, which is then a site or refused.
    fn of(text: &str, is_tunnel: bool, whole: &[u8]) -> Option<Self> {
        if !text.bytes().all(is_of_target) {
            return None;
        }
        let span = |part: &str| Span::of(part.as_bytes(), whole);
        let (authority, is_http, rest) = if text.starts_with('/') || text == "*" || is_tunnel && !text.contains("://") {
            (None, false, text)
        } else {
            let (scheme, rest) = text.split_once("://")?;
            let is_http = scheme.eq_ignore_ascii_case("http");
            if !is_http && !scheme.eq_ignore_ascii_case("https") {
                return None;
            }
            let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            (Some(span(authority)), is_http, rest)
        };
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(span(query))),
            None => (rest, None),
        };
        Some(Self { authority, path: span(path), query, is_http })
    }
}

/// What browsers escape in every part of a URL, and `#`, which no request has (RFC 9110 section 7.1), stands in no target.
const fn is_of_target(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e) && !matches!(byte, b'"' | b'#' | b'<' | b'>')
}

impl ResponseHead {
    /// Takes a head off the front of `bytes` and leaves what follows it; `None` while it is not whole.
    pub fn take(bytes: &mut Vec<u8>) -> Result<Option<Self>, NotHttp> {
        match roomy(|room| response_parts(bytes, room)) {
            Ok(Status::Complete((end, ResponseParts { found, status, reason, is_http10 }))) => {
                let fields = Fields::new(take_front(bytes, end), found);
                Ok(Some(Self { fields, status, reason, is_http10 }))
            }
            Ok(Status::Partial) => Ok(None),
            Err(_) => Err(NotHttp),
        }
    }

    /// Bytes of the head, as it came.
    pub fn size(&self) -> usize {
        self.fields.bytes().len()
    }

    /// Its first line as it goes on.
    pub fn first_line(&self) -> Vec<u8> {
        [b"HTTP/1.1 ", self.status.as_str().as_bytes(), b" ", self.reason(), b"\r\n"].concat()
    }

    /// All of it.
    pub fn written(&self) -> Vec<u8> {
        let mut bytes = self.first_line();
        for (_, name, value) in self.fields.iter() {
            for part in [name, b": ", value, b"\r\n"] {
                bytes.extend_from_slice(part);
            }
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    /// The words behind the status; perhaps none.
    pub fn reason(&self) -> &[u8] {
        self.reason.in_bytes(self.fields.bytes())
    }
}

type Room<'r, 'b> = &'r mut [MaybeUninit<Header<'b>>];

/// Runs a parser with room for usual heads, and again with more if that was too little.
fn roomy<'b, T>(mut parser: impl FnMut(Room<'_, 'b>) -> Result<Status<T>, Error>) -> Result<Status<T>, Error> {
    match parser(&mut [const { MaybeUninit::uninit() }; FIELDS_USUAL]) {
        Err(Error::TooManyHeaders) => parser(&mut vec![MaybeUninit::uninit(); FIELDS_MAX]),
        parsed => parsed,
    }
}

fn request_parts<'b>(bytes: &'b [u8], room: Room<'_, 'b>) -> Result<Status<(usize, RequestParts)>, Error> {
    let mut request = httparse::Request::new(&mut []);
    let Status::Complete(end) = request.parse_with_uninit_headers(bytes, room)? else { return Ok(Status::Partial) };
    let parts = RequestParts {
        found: Found::of(request.headers, bytes),
        method: Span::of(request.method.unwrap_or_default().as_bytes(), bytes),
        target: Target::of(request.path.unwrap_or_default(), request.method == Some("CONNECT"), bytes),
        is_http10: request.version == Some(0),
    };
    Ok(Status::Complete((end, parts)))
}

fn response_parts<'b>(bytes: &'b [u8], room: Room<'_, 'b>) -> Result<Status<(usize, ResponseParts)>, Error> {
    let mut response = httparse::Response::new(&mut []);
    let parsed = ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, room)?;
    let Status::Complete(end) = parsed else { return Ok(Status::Partial) };
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(Error::Status)?;
    let parts = ResponseParts {
        found: Found::of(response.headers, bytes),
        status,
        reason: Span::of(response.reason.unwrap_or_default().as_bytes(), bytes),
        is_http10: response.version == Some(0),
    };
    Ok(Status::Complete((end, parts)))
}

/// The length of the head at the front of `bytes`, its empty line included.
fn find_end(bytes: &[u8], seen: usize) -> Result<Option<usize>, BareLf> {
    // An end may have begun in the last three bytes that were seen.
    let from = seen.saturating_sub(3);
    for at in memchr::memchr_iter(b'\n', bytes.get(from..).unwrap_or_default()) {
        let line = bytes.get(..from + at).unwrap_or_default();
        if line.last() != Some(&b'\r') {
            return Err(BareLf);
        }
        if line.ends_with(b"\r\n\r") {
            return Ok(Some(from + at + 1));
        }
    }
    Ok(None)
}

/// The first `end` bytes; what follows stays.
fn take_front(bytes: &mut Vec<u8>, end: usize) -> Vec<u8> {
    let rest = bytes.split_off(end);
    std::mem::replace(bytes, rest)
}

#[cfg(test)]
mod tests;
