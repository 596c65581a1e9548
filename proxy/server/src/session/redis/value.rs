//! How a binding is written in Redis and for a process that takes over, and how news of it is written to its channel.
//!
//! In: a binding, or bytes. Out: bytes, or a binding if they are one.
//! Never here: connections.
//! Invariant: what decides whether a binding gives way stands first, for the scripts, and is all that stays readable when the rest is sealed; nothing larger than
//! [`VALUE_BYTES_MAX`] is written, or taken for a binding.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use outrigger_model::digest::Digest;
use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::Generation;
use outrigger_proxy_core::mcp::facts::Caller;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::{KeyKind, SessionKey};

use crate::session::store::News;

/// The body that opened a session may have 16 KiB, and a third more when it is sealed.
pub(super) const VALUE_BYTES_MAX: usize = 24 * 1024;

// The form of a value; a later form gets another number, and is unreadable here rather than misread. The scripts know it too.
const FORM: &str = "3";
const NONE: &str = "-";
const MOVED: &str = "moved";
const FORGOTTEN: &str = "forgotten";

/// Fields without blanks, the lengths of those that may have some, and then those.
pub fn write(binding: &Binding) -> Vec<u8> {
    let Binding { kind, agent, replica, generation: Generation(generation), moves, caller, .. } = binding;
    let Binding { created, last_seen, opening, .. } = binding;
    let (kind, caller, mark) = (kind.as_str(), caller.as_str(), mark(binding));
    let upstream = binding.upstream.as_ref().map_or_else(|| NONE.to_owned(), |id| format!("={}", hex::encode(id)));
    let openings = opening.as_ref().map_or_else(|| NONE.to_owned(), |bytes| bytes.len().to_string());
    let head = format!("{FORM} {moves} {replica} {generation} {mark} {last_seen} {created} {kind} {agent} {upstream} ");
    let mut value = format!("{head}{} {openings} {caller}", caller.len()).into_bytes();
    value.extend_from_slice(opening.as_deref().unwrap_or_default());
    value
}

/// Tells two ids by which a replica knows sessions apart, and neither of them: the store can read it.
pub(super) fn mark(binding: &Binding) -> String {
    binding.upstream.as_ref().map_or_else(|| NONE.to_owned(), |id| Digest::of(id).short())
}

pub fn read(value: &[u8]) -> Option<Binding> {
    if value.len() > VALUE_BYTES_MAX {
        return None;
    }
    let mut parts = value.splitn(13, |byte| *byte == b' ');
    let mut next = || std::str::from_utf8(parts.next()?).ok();
    if next()? != FORM {
        return None;
    }
    let moves = next()?.parse().ok()?;
    let replica = ReplicaId::new(next()?).ok()?;
    let generation = Generation(next()?.parse().ok()?);
    let marked = next()?;
    let last_seen = next()?.parse().ok()?;
    let created = next()?.parse().ok()?;
    let kind = KeyKind::parse(next()?)?;
    let agent = AgentName::new(next()?).ok()?;
    let upstream = match next()? {
        NONE => None,
        text => Some(Arc::from(hex::decode(text.strip_prefix('=')?).ok()?)),
    };
    let callers: usize = next()?.parse().ok()?;
    let openings: Option<usize> = match next()? {
        NONE => None,
        text => Some(text.parse().ok()?),
    };
    let (caller, opening) = parts.next()?.split_at_checked(callers)?;
    if opening.len() != openings.unwrap_or(0) || caller.is_empty() {
        return None;
    }
    let (caller, opening) = (Caller::new(std::str::from_utf8(caller).ok()?), openings.map(|_| Arc::from(opening)));
    let binding = Binding { kind, agent, replica, generation, moves, caller, created, last_seen, upstream, opening };
    (mark(&binding) == marked).then_some(binding)
}

/// What stands before the value of a binding that moved.
pub(super) fn moved(teller: &str, key: &SessionKey, kept: Duration) -> String {
    format!("{teller} {MOVED} {} {} ", key.digest(), kept.as_millis())
}

pub(super) fn forgotten(teller: &str, key: &SessionKey, moves: u32) -> String {
    format!("{teller} {FORGOTTEN} {} {moves}", key.digest())
}

/// What somebody else than `teller` tells. `open` gives a value as it was written, if it was sealed for this key.
pub(super) fn news<'m>(
    message: &'m [u8],
    teller: &str,
    open: impl FnOnce(&SessionKey, &'m [u8]) -> Option<Cow<'m, [u8]>>,
) -> Option<News> {
    let mut parts = message.splitn(5, |byte| *byte == b' ');
    let mut next = || std::str::from_utf8(parts.next()?).ok();
    let (from, what, digest, number) = (next()?, next()?, next()?, next()?);
    let key = SessionKey::from_digest(Digest::from_bytes(&hex::decode(digest).ok()?)?);
    match what {
        _ if from == teller => None,
        MOVED => {
            Some(News::Moved(key, read(&open(&key, parts.next()?)?)?, Duration::from_millis(number.parse().ok()?)))
        }
        FORGOTTEN => Some(News::Forgotten(key, number.parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
