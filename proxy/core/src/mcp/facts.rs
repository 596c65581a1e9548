//! Everything a plan needs to know about a call.
//!
//! In: the method, the headers and the target of a request, and who calls. Out: [`CallFacts`].
//! Invariant: a call of the modern era has no session, whatever its headers say.

use std::sync::Arc;

use outrigger_model::revision::{Era, Revision};

use crate::http1::field::{Fields, Name, tokens};
use crate::mcp::envelope::Envelope;
use crate::mcp::headers::McpHeaders;
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

/// What is known of a call before its world is asked.
#[derive(Debug, Clone)]
pub struct CallFacts<'a> {
    pub verb: Verb,
    pub target: Target<'a>,
    pub caller: Caller,
    pub revision: Option<Revision>,
    /// `None`: no header tells it, and the body was not looked at.
    pub era: Option<Era>,
    /// From a header, or from a look at the body.
    pub method: Option<Method>,
    /// The id of a legacy session.
    pub session: Option<&'a [u8]>,
    /// The caller takes `text/event-stream`.
    pub takes_stream: bool,
    needs_peek: bool,
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
        let method = mcp.method.map(Method::from_text);
        let session = mcp.session.filter(|_| era != Some(Era::Modern));
        Ok(Self {
            verb,
            target,
            caller,
            revision: mcp.revision,
            era,
            method,
            session,
            takes_stream: takes_stream(fields),
            needs_peek: verb == Verb::Post && session.is_none() && !mcp.revision_sent && method.is_none(),
        })
    }

    /// Whether only the body tells if this call opens a session. Then the shell looks at its first bytes.
    pub const fn needs_peek(&self) -> bool {
        self.needs_peek
    }

    /// The same facts, with what the first bytes of the body told.
    pub fn with_envelope(mut self, envelope: &Envelope<'_>) -> Self {
        self.method = self.method.or_else(|| envelope.method.as_deref().map(Method::from_text));
        self.era = match (self.era, self.method) {
            (None, Some(Method::Initialize)) => Some(Era::Legacy),
            (None, _) if envelope.batch => Some(Era::Legacy),
            (era, _) => era,
        };
        self.needs_peek = false;
        self
    }
}

fn takes_stream(fields: &Fields) -> bool {
    let wanted = |part: &[u8]| {
        let media = part.split(|byte| *byte == b';').next().unwrap_or(part).trim_ascii();
        media.eq_ignore_ascii_case(b"text/event-stream") || media == b"*/*"
    };
    fields.all(Name::Accept).any(|value| tokens(value).any(wanted))
}

#[cfg(test)]
mod tests;
