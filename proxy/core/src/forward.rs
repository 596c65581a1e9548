//! What heads become on their way: the request's for its endpoint, the answer's for its caller.
//!
//! In: a head as it came, and where it goes. Out: the bytes of the head that goes on.
//! Invariant: a field that starts with `outrigger-` crosses no proxy: strangers cannot set one, agents never see one. Fields of one
//! connection end with it (RFC 9110 section 7.6.1). All others keep their order and their spelling.

use outrigger_model::traffic::Priority;

use crate::asked::Part;
use crate::http1::field::{Fields, Name, tokens};
use crate::http1::head::{RequestHead, ResponseHead};
use crate::limit::pressure::PRIORITY_HEADER;
use crate::world::endpoint::Endpoint;

/// How an answer is passed to its caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// The connection ends after it.
    pub close: bool,
    /// The caller knows no chunks.
    pub without_chunks: bool,
    /// By which the caller knows the session, in place of the id that the agent wrote.
    pub session: Option<&'a [u8]>,
    /// The session was opened again for this call.
    pub moved: bool,
}

/// A request of our own, on behalf of a caller whose request waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aside<'a> {
    pub method: &'static str,
    /// By which the endpoint knows the session.
    pub session: Option<&'a [u8]>,
    pub revision: Option<&'a str>,
    pub body: &'a [u8],
}

/// What a request is for at its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot<'a> {
    Part(Part),
    /// A path and query that the agent announced.
    Announced(&'a str),
}

/// Set by the proxy that calls where its client knows the agent's own URLs, so that the proxy beside the agent leaves them.
pub const AS_IS_HEADER: &str = "outrigger-as-is";

/// Tells a caller that its session lives on another replica now, with none of the state that the one before had.
pub const SESSION_HEADER: &str = "outrigger-session";
const REESTABLISHED: &[u8] = b"reestablished";

/// Whether the calling proxy wants the agent's URLs left as they are.
pub fn wants_as_is(head: &RequestHead) -> bool {
    let is = |(known, name, _): (Name, &[u8], &[u8])| {
        known == Name::Ours && name.eq_ignore_ascii_case(AS_IS_HEADER.as_bytes())
    };
    head.fields.has(Name::Ours) && head.fields.iter().any(is)
}

/// Appends the head of a request as `endpoint` is to see it. `session` is the id by which it knows the session, where that is another
/// than the caller's; a peer is told a `priority` that is not the usual one.
pub fn request(
    head: &RequestHead,
    endpoint: &Endpoint,
    spot: Spot<'_>,
    session: Option<&[u8]>,
    priority: Priority,
    out: &mut Vec<u8>,
) {
    let lead = endpoint.lead.as_ref();
    out.reserve(head.size() + lead.path.len() + 64);
    out.extend_from_slice(head.method());
    out.push(b' ');
    let query = match spot {
        Spot::Part(Part::Endpoint) => {
            out.extend_from_slice(lead.path.as_bytes());
            lead.query.as_deref().or(head.query())
        }
        Spot::Part(part) => {
            out.extend_from_slice(part.path(lead.server()).as_bytes());
            head.query()
        }
        Spot::Announced(path) => {
            out.extend_from_slice(path.as_bytes());
            None
        }
    };
    if let Some(query) = query {
        out.push(b'?');
        out.extend_from_slice(query.as_bytes());
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
    fields(head, endpoint, out, |known, value| Some(session.filter(|_| known == Name::McpSessionId).unwrap_or(value)));
    if priority != Priority::Normal && !endpoint.is_own() {
        line(out, PRIORITY_HEADER.as_bytes(), priority.as_str().as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends a whole request to the MCP endpoint of `endpoint`, with what stands in `head` about its caller: who it is, what it may.
pub fn aside(head: &RequestHead, endpoint: &Endpoint, aside: Aside<'_>, out: &mut Vec<u8>) {
    let lead = endpoint.lead.as_ref();
    let Aside { method, session, revision, body } = aside;
    out.extend_from_slice(method.as_bytes());
    out.push(b' ');
    out.extend_from_slice(lead.path.as_bytes());
    if let Some(query) = lead.query.as_deref().or(head.query()) {
        out.push(b'?');
        out.extend_from_slice(query.as_bytes());
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
    fields(head, endpoint, out, |known, value| (!is_of_message(known)).then_some(value));
    line(out, b"Accept", b"application/json, text/event-stream");
    if let Some(session) = session {
        line(out, b"Mcp-Session-Id", session);
    }
    if let Some(revision) = revision {
        line(out, b"MCP-Protocol-Version", revision.as_bytes());
    }
    if !body.is_empty() {
        line(out, b"Content-Type", b"application/json");
    }
    line(out, b"Content-Length", body.len().to_string().as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

/// Appends the fields of a request that go on, each with what `written` makes of its value, if anything.
fn fields<'h>(
    head: &'h RequestHead,
    endpoint: &Endpoint,
    out: &mut Vec<u8>,
    written: impl Fn(Name, &'h [u8]) -> Option<&'h [u8]>,
) {
    let lead = endpoint.lead.as_ref();
    if let Some(host) = &lead.host {
        line(out, b"Host", host.as_bytes());
        if let Some(called) = head.fields.first(Name::Host) {
            line(out, b"X-Forwarded-Host", called);
        }
    }
    if head.target_authority().is_some() && !endpoint.is_own() {
        line(out, AS_IS_HEADER.as_bytes(), b"1");
    }
    let of_connection = Nominated::by(&head.fields);
    for (known, name, value) in head.fields.iter() {
        let goes_on = match known {
            // We have answered `Expect` ourselves; trailers of answers are not asked for.
            Name::Expect | Name::Te => false,
            Name::Host => lead.host.is_none(),
            Name::Other if name.eq_ignore_ascii_case(b"x-forwarded-host") => lead.host.is_none(),
            // For a proxy, and we are it (RFC 9110 section 11.7.2).
            Name::Other => !name.eq_ignore_ascii_case(b"proxy-authorization"),
            known => !is_of_connection(known),
        };
        if goes_on
            && !of_connection.has(known, name)
            && let Some(value) = written(known, value)
        {
            line(out, name, value);
        }
    }
}

/// Fields that say what one message is, and nothing about who sends it.
const fn is_of_message(known: Name) -> bool {
    matches!(
        known,
        Name::Accept
            | Name::ContentEncoding
            | Name::ContentLength
            | Name::ContentType
            | Name::LastEventId
            | Name::McpMethod
            | Name::McpName
            | Name::McpProtocolVersion
            | Name::McpSessionId
            | Name::TransferEncoding
    )
}

/// Appends the head of an answer as its caller is to see it.
pub fn answer(head: &ResponseHead, delivery: Delivery<'_>, out: &mut Vec<u8>) {
    out.reserve(head.size() + 32);
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(head.status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(head.reason());
    out.extend_from_slice(b"\r\n");
    let of_connection = Nominated::by(&head.fields);
    for (known, name, value) in head.fields.iter() {
        let stays = is_of_connection(known) || known == Name::TransferEncoding && delivery.without_chunks;
        if !stays && !of_connection.has(known, name) {
            line(out, name, delivery.session.filter(|_| known == Name::McpSessionId).unwrap_or(value));
        }
    }
    if delivery.moved {
        line(out, SESSION_HEADER.as_bytes(), REESTABLISHED);
    }
    if delivery.close {
        line(out, b"Connection", b"close");
    }
    out.extend_from_slice(b"\r\n");
}

fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

const fn is_of_connection(known: Name) -> bool {
    matches!(known, Name::Connection | Name::KeepAlive | Name::ProxyConnection | Name::Upgrade | Name::Ours)
}

/// Fields that `Connection` declares to be of this connection only.
struct Nominated<'a>(Option<&'a Fields>);

impl<'a> Nominated<'a> {
    fn by(fields: &'a Fields) -> Self {
        let usual = |token: &[u8]| token.eq_ignore_ascii_case(b"keep-alive") || token.eq_ignore_ascii_case(b"close");
        let unusual = fields.all(Name::Connection).flat_map(tokens).any(|token| !usual(token));
        Self(unusual.then_some(fields))
    }

    /// Fields that we act on ourselves are never dropped for that: a caller could hide them from the agent and not from us.
    fn has(&self, known: Name, name: &[u8]) -> bool {
        let Some(fields) = self.0.filter(|_| known == Name::Other) else { return false };
        fields.all(Name::Connection).flat_map(tokens).any(|token| token.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests;
