//! How patient a call is, and what becomes of its answer when the proxy stops.
//!
//! In: verb, era and method of a request, and its fields. Out: its [`TimeClass`], and its [`AtDrain`].
//! Never here: the limits themselves; they are the route's.
//! Invariant: a method that is not known may be a tool's work, and is given a tool's time.

use outrigger_model::revision::Era;
use outrigger_model::route::TimeClass;

use crate::http1::field::{Fields, Name};
use crate::mcp::facts::Verb;
use crate::mcp::method::Method;

/// What happens to a stream of events while its listener drains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtDrain {
    /// It ends between two events; its caller opens it again elsewhere, and names the last event it has seen.
    EndsBetweenEvents,
    /// A result is still to come on it, and it goes on for as long as the grace does.
    GoesOn,
}

/// The class of a request. `None` of the method: nobody has looked.
pub const fn class(verb: Verb, era: Option<Era>, method: Option<Method>) -> TimeClass {
    match verb {
        // A server of the modern era answers a GET at once, with 405.
        Verb::Get if matches!(era, Some(Era::Modern)) => TimeClass::Quick,
        Verb::Get => TimeClass::Stream,
        Verb::Delete | Verb::Other => TimeClass::Quick,
        Verb::Post => match method {
            Some(Method::Listen) => TimeClass::Stream,
            Some(Method::ToolsCall | Method::TasksResult | Method::Other) | None => TimeClass::Call,
            Some(_) => TimeClass::Quick,
        },
    }
}

/// What becomes of a stream of this class, for a request with these fields.
pub fn at_drain(verb: Verb, class: TimeClass, fields: &Fields) -> AtDrain {
    // 2024-11-05 gives a GET none of these, and sends the results of its POSTs there.
    let names = [Name::McpSessionId, Name::LastEventId, Name::McpProtocolVersion];
    let is_opened_again = verb != Verb::Get || names.into_iter().any(|name| fields.has(name));
    match class {
        TimeClass::Stream if is_opened_again => AtDrain::EndsBetweenEvents,
        TimeClass::Stream | TimeClass::Call | TimeClass::Quick => AtDrain::GoesOn,
    }
}

#[cfg(test)]
mod tests;
