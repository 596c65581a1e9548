//! Revocations → protobuf.

use outrigger_model::revocation::Revocations;

use super::field;
use crate::proto::snapshot as wire;

pub fn revocations(all: &Revocations) -> wire::Revocations {
    let at = |at: &u64| Some(field::seconds(*at));
    let named = |name: &str, since: &u64| wire::revocations::Named { name: name.to_owned(), at: at(since) };
    let sessions = all.sessions.iter();
    wire::Revocations {
        sessions: sessions
            .map(|(name, since)| wire::revocations::Session { name: name.number(), at: at(since) })
            .collect(),
        callers: all.callers.iter().map(|(name, since)| named(name, since)).collect(),
        agents: all.agents.iter().map(|(name, since)| named(name.as_str(), since)).collect(),
    }
}
