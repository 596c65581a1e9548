//! What of a call counts against limits: whether it does at all, and which tool it calls.
//!
//! In: the facts of a call, with its envelope where the body was read. Out: a [`Subject`].
//! Invariant: what cannot be read is never less limited than what can: its tool counts as any.

use outrigger_model::rate::RateLimit;
use outrigger_model::revision::Era;

use crate::asked::Part;
use crate::mcp::envelope::Envelope;
use crate::mcp::facts::{CallFacts, Message, Reading, Verb};
use crate::mcp::method::Method;

/// What a call is to a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// It is let through whatever is used: it ends something, or answers or tells something within another call.
    Free,
    /// A call of no tool.
    Plain,
    Tool(Box<str>),
    /// A message that cannot be read, or a batch of them.
    Unknown,
}

/// How much of a body is read where a limit wants to know what it is. Heads of legacy calls do not tell it.
pub fn reading(facts: &CallFacts<'_>, usual: Reading) -> Reading {
    if facts.is_readable() && facts.era != Some(Era::Modern) { Reading::First } else { usual }
}

impl Subject {
    /// `envelope` is what was read of the body, and is in the facts already.
    pub fn of(facts: &CallFacts<'_>, envelope: Option<&Envelope<'_>>) -> Self {
        let is_modern = facts.era == Some(Era::Modern);
        match (facts.part, facts.verb) {
            (_, Verb::Delete) => Self::Free,
            (Part::Messages(_), Verb::Post) => Self::Unknown,
            (Part::Endpoint, Verb::Post) if facts.notice || facts.method == Some(Method::Notification) => Self::Free,
            (Part::Endpoint, Verb::Post) if facts.message == Message::Batch => Self::Unknown,
            (Part::Endpoint, Verb::Post) => match facts.method {
                Some(Method::ToolsCall) if is_modern => Self::named(facts.name()),
                Some(Method::ToolsCall) => Self::named(envelope.and_then(Envelope::name).as_deref()),
                Some(_) => Self::Plain,
                None => Self::Unknown,
            },
            _ => Self::Plain,
        }
    }

    /// Whether a limit is about this call.
    pub fn is_of(&self, rate: &RateLimit) -> bool {
        match self {
            Self::Free => false,
            Self::Plain => rate.is_about(None),
            Self::Tool(tool) => rate.is_about(Some(tool)),
            Self::Unknown => true,
        }
    }

    /// The tool that it calls, as far as it is known.
    pub fn tool(&self) -> &str {
        match self {
            Self::Tool(tool) => tool,
            Self::Free | Self::Plain | Self::Unknown => "",
        }
    }

    fn named(tool: Option<&str>) -> Self {
        tool.map_or(Self::Unknown, |tool| Self::Tool(tool.into()))
    }
}

#[cfg(test)]
mod tests;
