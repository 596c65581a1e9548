//! The keys that a call carries.
//!
//! In: the agent called, the policy of its route, the facts of a call and what was read of its body. Out: keys, in the order in which they
//! decide.
//! Never here: where a key leads. Sources: 2026-07-28 `basic/transports` (`Mcp-Name`, `Mcp-Param-*`), `basic/patterns/mrtr`; the tasks
//! extension; RFC 6265 for cookies.
//! Invariants: what is given more than once, is empty, or is no text is no key. A handle is the caller's own: the same value of another
//! caller is another key.

use std::borrow::Cow;

use outrigger_model::digest::Digest;
use outrigger_model::key::{ArgumentKey, KeySource};
use outrigger_model::name::AgentName;
use outrigger_model::revision::Era;

use crate::http1::field::Fields;
use crate::mcp::envelope::Envelope;
use crate::mcp::facts::{CallFacts, Reading};
use crate::mcp::headers;
use crate::mcp::method::Method;
use crate::mcp::wanted;
use crate::session::key::{KeyKind, SessionKey};

/// Names that carry arguments of a tool (2026-07-28 `basic/transports`).
const PARAM: &str = "mcp-param-";

/// A key of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    pub kind: KeyKind,
    pub key: SessionKey,
}

/// All keys of a call. `envelope` is what was read of its body.
pub fn carried(
    agent: &AgentName,
    keys: &[KeySource],
    facts: &CallFacts<'_>,
    envelope: Option<&Envelope<'_>>,
) -> Vec<Carried> {
    let mut found = Vec::new();
    if let Some(id) = facts.session {
        found.push(Carried { kind: KeyKind::Session, key: SessionKey::of(agent, id) });
    }
    let minted = |kind, value: Digest| Carried { kind, key: SessionKey::of_minted(agent, kind, &value) };
    found.extend(task(facts, envelope).map(|task| minted(KeyKind::Task, task)));
    if facts.era == Some(Era::Modern) {
        let state = envelope.and_then(|envelope| wanted::state(envelope.values()));
        found.extend(state.map(|state| minted(KeyKind::State, state)));
    }
    if !facts.part.is_endpoint() {
        return found;
    }
    let mut arguments = 0;
    for source in keys {
        let value = match source {
            KeySource::Header(name) => header(facts.fields, name).map(Digest::of),
            KeySource::Param(name) if facts.era == Some(Era::Modern) => param(facts.fields, name),
            KeySource::Param(_) => None,
            KeySource::Cookie(name) => cookie(facts.fields, name).map(Digest::of),
            KeySource::Argument(key) => {
                arguments += 1;
                argument(key, arguments - 1, facts, envelope)
            }
        };
        let key = |value: Digest| SessionKey::of_handle(agent, &facts.caller, source, &value);
        found.extend(value.map(|value| Carried { kind: KeyKind::Handle, key: key(value) }));
    }
    found
}

/// How much of the body a call wants read before its keys are known.
pub fn reading(keys: &[KeySource], facts: &CallFacts<'_>) -> Reading {
    let argument = |source: &KeySource| match source {
        KeySource::Argument(key) => facts.name().is_none_or(|tool| key.is_of(tool)),
        KeySource::Header(_) | KeySource::Param(_) | KeySource::Cookie(_) => false,
    };
    match facts.method.filter(|_| facts.era == Some(Era::Modern)) {
        Some(Method::ToolsCall) if keys.iter().any(argument) => Reading::First,
        Some(Method::ToolsCall | Method::PromptsGet | Method::ResourcesRead) => Reading::Peeked,
        _ => Reading::Untouched,
    }
}

/// A task is named in the head of a modern call, and in the body of a legacy one.
fn task(facts: &CallFacts<'_>, envelope: Option<&Envelope<'_>>) -> Option<Digest> {
    let id = match (facts.method?, facts.era) {
        (Method::TasksGet | Method::TasksUpdate | Method::TasksCancel, Some(Era::Modern)) => {
            facts.name().map(Cow::Borrowed)
        }
        (Method::TasksGet | Method::TasksCancel | Method::TasksResult, _) if facts.session.is_none() => {
            envelope?.task()
        }
        _ => None,
    }?;
    (!id.is_empty()).then(|| Digest::of(id.as_bytes()))
}

fn argument(
    key: &ArgumentKey,
    number: usize,
    facts: &CallFacts<'_>,
    envelope: Option<&Envelope<'_>>,
) -> Option<Digest> {
    // A session holds its calls, and its bodies are not waited for.
    let envelope = envelope.filter(|_| facts.method == Some(Method::ToolsCall) && facts.session.is_none())?;
    let value = wanted::argument(envelope.values(), number)?;
    // Nothing to ask where all tools are meant.
    let is_of = key.tools().is_empty() || envelope.name().is_some_and(|tool| key.is_of(&tool));
    is_of.then_some(value)
}

fn header<'a>(fields: &'a Fields, name: &str) -> Option<&'a [u8]> {
    let mut all = fields.iter().filter(|(_, known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
    let (_, _, value) = all.next()?;
    (all.next().is_none() && !value.is_empty()).then_some(value)
}

fn param(fields: &Fields, name: &str) -> Option<Digest> {
    let value = headers::decoded(header(fields, &format!("{PARAM}{name}"))?)?;
    (!value.is_empty()).then(|| Digest::of(value.as_bytes()))
}

fn cookie<'a>(fields: &'a Fields, name: &str) -> Option<&'a [u8]> {
    let lines = fields.iter().filter(|(_, known, _)| known.eq_ignore_ascii_case(b"cookie"));
    let pairs = lines.flat_map(|(_, _, value)| value.split(|byte| *byte == b';'));
    let mut values = pairs.filter_map(|pair| {
        let at = memchr::memchr(b'=', pair)?;
        let (key, value) = pair.split_at_checked(at)?;
        (key.trim_ascii() == name.as_bytes()).then(|| value.get(1..).unwrap_or_default().trim_ascii())
    });
    let value = values.next()?;
    (values.next().is_none() && !value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests;
