//! Everything a plan needs to know about a call.
//!
//! In: the method, the headers and the target of a request, who calls, and what was seen of its body. Out: [`CallFacts`].
//! Headers come first: a modern call says in its head what it is, and its body stays untouched unless a route wants it read. The head of a
//! legacy call is not trusted with that (2026-07-28 `basic/transports`: mirrored headers count from that revision on only).
//! Invariant: a call of the modern era has no session, whatever its headers say.

use std::sync::Arc;

use outrigger_model::revision::{Era, Revision};

use crate::asked::Part;
use crate::http1::field::{Fields, Name};
use crate::mcp::envelope::Envelope;
use crate::mcp::headers::{McpHeaders, compare, compare_beginning};
use crate::mcp::method::Method;
use crate::refusal::Refusal;
use crate::target::Target;

/// The HTTP methods of MCP, and the rest, which agents answer themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    Post,
    Get,
    Delete,
    Other,
}

/// Who calls: the identity of the calling workload as text. Sessions are bound to it and affinity hashes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller(Arc<str>);

/// What a body is, as far as it was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Message {
    /// Nobody looked, or the end of it is not there yet.
    #[default]
    Unread,
    /// A request, a notification or a response.
    Single,
    /// A request that goes on from an answer that asked for input.
    Continued,
    /// An array of messages (2025-03-26 only).
    Batch,
}

/// What is known of a call before its world is asked.
#[derive(Debug, Clone)]
pub struct CallFacts<'a> {
    pub verb: Verb,
    pub target: Target<'a>,
    /// What of it is asked for. Only its endpoint speaks MCP.
    pub part: Part,
    pub caller: Caller,
    pub era: Option<Era>,
    /// From a header of a modern call, else from the body.
    pub method: Option<Method>,
    pub message: Message,
    /// A message that expects no answer of its own: a notification or a response.
    pub notice: bool,
    /// The id of a legacy session.
    pub session: Option<&'a [u8]>,
    /// The caller goes on with a stream that broke off.
    pub resumes: bool,
    /// The body says of itself that it is JSON, as it stands.
    pub json: bool,
    pub fields: &'a Fields,
    mcp: McpHeaders<'a>,
}

/// How much of a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    /// Nothing of it.
    Untouched,
    /// It is here, as far as it is kept, before the call is planned; and read only if it mentions the state of a call that goes on.
    Peeked,
    /// All of it, as it goes by.
    Passing,
    /// All of it, and as far as it is kept before the call is planned.
    First,
}

impl Caller {
    pub fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Verb {
    /// Methods are the same only in the same case (RFC 9110 section 9.1).
    pub fn of(method: &[u8]) -> Self {
        match method {
            b"POST" => Self::Post,
            b"GET" => Self::Get,
            b"DELETE" => Self::Delete,
            _ => Self::Other,
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Get => "get",
            Self::Delete => "delete",
            Self::Other => "_other",
        }
    }
}

impl<'a> CallFacts<'a> {
    pub fn read(verb: Verb, fields: &'a Fields, target: Target<'a>, caller: Caller) -> Result<Self, Refusal> {
        let mcp = McpHeaders::read(fields)?;
        let era = mcp.era();
        let modern = era == Some(Era::Modern);
        Ok(Self {
            verb,
            target,
            part: Part::Endpoint,
            caller,
            era,
            method: mcp.method.filter(|_| modern).map(Method::from_text),
            message: Message::Unread,
            notice: false,
            session: mcp.session.filter(|_| !modern),
            resumes: mcp.last_event_id,
            json: is_json(fields),
            fields,
            mcp,
        })
    }

    /// The same call for what lies beside the endpoint. Its body is no message, and no era is its.
    pub fn beside(self, part: Part) -> Self {
        if part.is_endpoint() { self } else { Self { part, era: None, method: None, ..self } }
    }

    pub const fn revision(&self) -> Option<Revision> {
        self.mcp.revision
    }

    /// `Mcp-Name`, decoded.
    pub fn name(&self) -> Option<&str> {
        self.mcp.name.as_deref()
    }

    /// How much of the body is read whatever keys there are. `inspect`: the route wants all of every body.
    pub fn reading(&self, inspect: bool) -> Reading {
        match (self.is_readable(), inspect, self.era) {
            (false, _, _) => Reading::Untouched,
            (true, true, _) => Reading::First,
            (true, false, Some(Era::Modern)) => Reading::Untouched,
            (true, false, _) if self.session.is_none() => Reading::First,
            (true, false, _) => Reading::Passing,
        }
    }

    /// Whether the body is a message, as far as the head says so.
    pub fn is_readable(&self) -> bool {
        self.part.is_endpoint() && self.verb == Verb::Post && self.json
    }

    /// The same facts, with what the beginning of a body told on a route that does not ask for all of it.
    pub fn with_beginning(self, envelope: &Envelope<'_>) -> Result<Self, Refusal> {
        if self.era == Some(Era::Modern) {
            compare_beginning(&self.mcp, envelope)?;
            return Ok(self);
        }
        self.with_envelope(envelope, false)
    }

    /// The same facts, with what the body told. `whole`: all of it was read. A modern head must say what the body says.
    pub fn with_envelope(mut self, envelope: &Envelope<'_>, whole: bool) -> Result<Self, Refusal> {
        if self.era == Some(Era::Modern) {
            compare(&self.mcp, envelope, whole)?;
        } else {
            self.method = envelope.method().map(|text| Method::from_text(&text));
            if self.method == Some(Method::Initialize) || envelope.is_batch() {
                self.era = self.era.or(Some(Era::Legacy));
            }
        }
        self.message = match (whole || envelope.is_batch(), envelope.is_batch(), envelope.continues()) {
            (false, _, _) => Message::Unread,
            (true, true, _) => Message::Batch,
            (true, false, true) => Message::Continued,
            (true, false, false) => Message::Single,
        };
        self.notice = self.message == Message::Single && (envelope.method().is_none() || envelope.id().is_none());
        Ok(self)
    }
}

/// Whether a body is JSON that can be read as it is; one that does not say its type is taken for it.
fn is_json(fields: &Fields) -> bool {
    if fields.has(Name::ContentEncoding) {
        return false;
    }
    let Ok(media) = fields.once(Name::ContentType) else { return false };
    media.is_none() || fields.media().is_some_and(|media| media.eq_ignore_ascii_case(b"application/json"))
}

#[cfg(test)]
mod tests;
