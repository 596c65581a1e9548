//! The headers of MCP on a request.
//!
//! In: the fields of a head. Out: [`McpHeaders`], borrowed from it, or a refusal where a header is ambiguous.
//! Sources: 2025-11-25 `basic/transports` (session id), 2026-07-28 `basic/transports` (routing headers, `=?base64?…?=`).
//! Whether a header is true is asked only where the body is read ([`compare`]); otherwise the agent checks it.

use std::borrow::Cow;

use outrigger_model::revision::{Era, Revision};

use crate::http1::field::{Fields, Name};
use crate::mcp::envelope::Envelope;
use crate::mcp::method::Method;
use crate::refusal::{Malformed, Refusal};

pub const PROTOCOL_VERSION: &str = "mcp-protocol-version";
pub const METHOD: &str = "mcp-method";
pub const NAME: &str = "mcp-name";
pub const SESSION_ID: &str = "mcp-session-id";
pub const LAST_EVENT_ID: &str = "last-event-id";

/// Longest session id we keep. SDKs mint 32 to 36 bytes; some gateways seal a state of up to this into it.
pub const SESSION_ID_BYTES_MAX: usize = 256;

/// What the headers say. Absent and unreadable revisions are both `None`: the agent answers those.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct McpHeaders<'a> {
    pub revision: Option<Revision>,
    /// As it was written, readable or not.
    pub version: Option<&'a [u8]>,
    pub method: Option<&'a str>,
    /// Decoded if it came as `=?base64?…?=`.
    pub name: Option<Cow<'a, str>>,
    pub session: Option<&'a [u8]>,
    pub last_event_id: bool,
}

impl<'a> McpHeaders<'a> {
    pub fn read(fields: &'a Fields) -> Result<Self, Refusal> {
        let once = |known, name| fields.once(known).map_err(|_| Refusal::Malformed(Malformed::Repeated(name)));
        let version = once(Name::McpProtocolVersion, PROTOCOL_VERSION)?;
        let session = once(Name::McpSessionId, SESSION_ID)?;
        if session.is_some_and(|id| !is_session_id(id)) {
            return Err(Refusal::Malformed(Malformed::SessionId));
        }
        Ok(Self {
            revision: version.and_then(Revision::from_bytes),
            version,
            method: text(once(Name::McpMethod, METHOD)?, METHOD)?,
            name: text(once(Name::McpName, NAME)?, NAME)?.map(decode),
            session,
            last_event_id: once(Name::LastEventId, LAST_EVENT_ID)?.is_some(),
        })
    }

    /// The era as far as headers tell it; a request without any of them is told by its body.
    /// `Mcp-Method` is no sign: some clients send it inside legacy sessions.
    pub fn era(&self) -> Option<Era> {
        match self.revision {
            Some(revision) => Some(revision.era()),
            None if self.session.is_some() => Some(Era::Legacy),
            None => None,
        }
    }
}

/// Refuses a modern call whose head does not say what its body says; who reads the body must look (2026-07-28 `basic/transports`,
/// server validation). A revision that the body leaves out is the agent's to miss, with a code of its own. Of a body of which not the
/// `whole` was read, what was found is final, because no key that decides stands twice; what was not found is not believed.
pub fn compare(head: &McpHeaders<'_>, body: &Envelope<'_>, whole: bool) -> Result<(), Refusal> {
    let mismatch = |header| Err(Refusal::HeaderMismatch { header });
    if body.is_batch() {
        return mismatch(METHOD);
    }
    // A response has no method, and no place in a modern request either; the agent says so.
    let Some(method) = body.method() else { return if whole { Ok(()) } else { mismatch(METHOD) } };
    if head.method != Some(method.as_ref()) {
        return mismatch(METHOD);
    }
    if body.revision().is_some_and(|revision| head.version != Some(revision.as_bytes())) {
        return mismatch(PROTOCOL_VERSION);
    }
    if !has_name(Method::from_text(&method)) || named(body).as_deref() == head.name.as_deref() {
        return Ok(());
    }
    mismatch(NAME)
}

/// The same for a body of which only the beginning is read, on a route that does not ask for more: what stands behind it nobody here
/// processed, and nobody here compares.
pub fn compare_beginning(head: &McpHeaders<'_>, body: &Envelope<'_>) -> Result<(), Refusal> {
    match compare(head, body, false) {
        Err(Refusal::HeaderMismatch { header: METHOD }) if body.method().is_none() && !body.is_batch() => Ok(()),
        Err(Refusal::HeaderMismatch { header: NAME }) if named(body).is_none() => Ok(()),
        compared => compared,
    }
}

const fn has_name(method: Method) -> bool {
    matches!(
        method,
        Method::ToolsCall
            | Method::PromptsGet
            | Method::ResourcesRead
            | Method::TasksGet
            | Method::TasksUpdate
            | Method::TasksCancel
    )
}

/// What a call is about, where `Mcp-Name` says so too.
fn named<'a>(body: &Envelope<'a>) -> Option<Cow<'a, str>> {
    match Method::from_text(&body.method()?) {
        Method::ToolsCall | Method::PromptsGet => body.name(),
        Method::ResourcesRead => body.uri(),
        Method::TasksGet | Method::TasksUpdate | Method::TasksCancel => body.task(),
        _ => None,
    }
}

/// Whether bytes may be a session id: visible ASCII (2025-03-26 and later, `basic/transports`), and not too long to keep.
pub fn is_session_id(bytes: &[u8]) -> bool {
    (1..=SESSION_ID_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(|byte| (0x21..=0x7e).contains(byte))
}

/// The session id on an answer; an ambiguous or unreadable one is none.
pub fn minted(fields: &Fields) -> Option<&[u8]> {
    fields.once(Name::McpSessionId).ok().flatten().filter(|id| is_session_id(id))
}

/// The text of a header that may have come as `=?base64?…?=`; none if it is no text.
pub fn decoded(value: &[u8]) -> Option<Cow<'_, str>> {
    std::str::from_utf8(value).ok().map(decode)
}

fn text<'a>(value: Option<&'a [u8]>, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    let bad = |_| Refusal::Malformed(Malformed::Bytes(name));
    value.map(|bytes| std::str::from_utf8(bytes).map_err(bad)).transpose()
}

/// Decodes `=?base64?…?=`. A value that misses the prefix, the suffix or the alphabet is literal.
fn decode(value: &str) -> Cow<'_, str> {
    let inner = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    let decoded = inner.and_then(|text| String::from_utf8(base64(text.as_bytes())?).ok());
    decoded.map_or(Cow::Borrowed(value), Cow::Owned)
}

/// Standard base64 with padding (RFC 4648 section 4), strictly.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let (groups, rest) = text.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(groups.len() * 3);
    for (at, group) in groups.iter().enumerate() {
        let padding = match group {
            [_, _, b'=', b'='] => 2,
            [_, _, _, b'='] => 1,
            _ => 0,
        };
        if padding > 0 && at + 1 != groups.len() {
            return None;
        }
        let mut bits = 0u32;
        for letter in group.iter().take(4 - padding) {
            bits = (bits << 6) | u32::from(sextet(*letter)?);
        }
        bits <<= 6 * padding;
        let [_, a, b, c] = bits.to_be_bytes();
        let unused = match padding {
            0 => 0,
            1 => c,
            _ => b | c,
        };
        if unused != 0 {
            return None;
        }
        out.extend([a, b, c].into_iter().take(3 - padding));
    }
    Some(out)
}

fn sextet(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
