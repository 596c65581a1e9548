//! What heads become on their way: the request's for its endpoint, the answer's for its caller.
//!
//! In: a head as it came, where it goes, what the operator wants changed. Out: the bytes of the head that goes on.
//! Invariant: a field that starts with `outrigger-` crosses no proxy: strangers cannot set one, agents never see one. Fields of one
//! connection end with it (RFC 9110 section 7.6.1). All others keep their order and their spelling.

use outrigger_model::traffic::{HeaderEdits, Priority};

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

/// What is written in place of what the caller wrote; none where it stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Renewed<'a> {
    /// The id by which the endpoint knows the session, where that is another than the caller's.
    pub session: Option<&'a [u8]>,
    /// What is left of the time that the caller gave the call, in seconds.
    pub time_left: Option<u64>,
    /// Told to peers where it is not the usual one.
    pub priority: Priority,
    /// The tool that is called in place of the one that the caller named, and the length that its body has then.
    pub tool: Option<(&'a str, usize)>,
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

/// Tells an agent that nobody waits for its answer. Anyone can write it, so it proves nothing.
const MIRRORED: &[u8] = b"X-Mesh-Mirrored";

/// Appends the head of a request as `endpoint` is to see it.
pub fn request(
    head: &RequestHead,
    endpoint: &Endpoint,
    spot: Spot<'_>,
    renewed: Renewed<'_>,
    edits: Option<&HeaderEdits>,
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
    let Renewed { session, time_left, priority, tool } = renewed;
    let time_left = time_left.map(|seconds| seconds.to_string());
    fields(head, endpoint, edits, out, |known, value| match known {
        Name::McpSessionId => Some(session.unwrap_or(value)),
        Name::MeshTimeout => Some(time_left.as_ref().map_or(value, String::as_bytes)),
        Name::ContentLength | Name::TransferEncoding if tool.is_some() => None,
        Name::McpName => Some(tool.map_or(value, |(name, _)| name.as_bytes())),
        _ => Some(value),
    });
    if let Some((_, length)) = tool {
        line(out, b"Content-Length", length.to_string().as_bytes());
    }
    if priority != Priority::Normal && !endpoint.is_own() {
        line(out, PRIORITY_HEADER.as_bytes(), priority.as_str().as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends a whole request that is the same to `endpoint` as one that a caller sent to somebody else.
pub fn copy(head: &RequestHead, endpoint: &Endpoint, edits: Option<&HeaderEdits>, body: &[u8], out: &mut Vec<u8>) {
    out.reserve(head.size() + body.len() + 128);
    start(head.method(), head, endpoint, out);
    let of_framing = |known| matches!(known, Name::ContentLength | Name::TransferEncoding);
    fields(head, endpoint, edits, out, |known, value| (!of_framing(known)).then_some(value));
    line(out, MIRRORED, b"1");
    line(out, b"Content-Length", body.len().to_string().as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

/// Appends a whole request to the MCP endpoint of `endpoint`, with what stands in `head` about its caller: who it is, what it may.
pub fn aside(
    head: &RequestHead,
    endpoint: &Endpoint,
    edits: Option<&HeaderEdits>,
    aside: Aside<'_>,
    out: &mut Vec<u8>,
) {
    let Aside { method, session, revision, body } = aside;
    start(method.as_bytes(), head, endpoint, out);
    fields(head, endpoint, edits, out, |known, value| (!is_of_message(known)).then_some(value));
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

/// Appends the first line of a request to the MCP endpoint of `endpoint`.
fn start(method: &[u8], head: &RequestHead, endpoint: &Endpoint, out: &mut Vec<u8>) {
    let lead = endpoint.lead.as_ref();
    out.extend_from_slice(method);
    out.push(b' ');
    out.extend_from_slice(lead.path.as_bytes());
    if let Some(query) = lead.query.as_deref().or(head.query()) {
        out.push(b'?');
        out.extend_from_slice(query.as_bytes());
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
}

/// Appends the fields of a request that go on, each with what `written` makes of its value, if anything.
fn fields<'h>(
    head: &'h RequestHead,
    endpoint: &Endpoint,
    edits: Option<&HeaderEdits>,
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
            && edits.is_none_or(|edits| leaves(edits, known, name))
            && let Some(value) = written(known, value)
        {
            line(out, name, value);
        }
    }
    for (name, value) in edits.into_iter().flat_map(|edits| edits.set.iter().chain(&edits.add)) {
        line(out, name.as_bytes(), value.as_bytes());
    }
}

/// Whether a field that a caller wrote goes on as it is. What proxies act on is nobody's to edit, whatever was declared.
fn leaves(edits: &HeaderEdits, known: Name, name: &[u8]) -> bool {
    let is_named = |edited: &String| name.eq_ignore_ascii_case(edited.as_bytes());
    !matches!(known, Name::Other | Name::Origin)
        || !edits.remove.iter().chain(edits.set.iter().map(|(name, _)| name)).any(is_named)
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
            | Name::MeshTimeout
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
