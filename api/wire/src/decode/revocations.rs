//! Protobuf → revocations.

use std::collections::BTreeMap;

use outrigger_model::name::AgentName;
use outrigger_model::revocation::{REVOCATIONS_MAX, Revocations, SessionName};

use super::field;
use crate::error::{DecodeError, Wrong, cut};
use crate::limit::CALLER_BYTES_MAX;
use crate::proto::snapshot as wire;

pub fn revocations(wire: wire::Revocations) -> Result<Revocations, DecodeError> {
    field::count("sessions", wire.sessions.len(), REVOCATIONS_MAX)?;
    let mut sessions = BTreeMap::new();
    for (at, session) in wire.sessions.into_iter().enumerate() {
        let since = field::seconds("at", session.at).map_err(|bad| bad.inside_item("sessions", at))?;
        let name = SessionName::from_number(session.name);
        if sessions.insert(name, since).is_some() {
            return Err(DecodeError::item("sessions", at, Wrong::Twice(name.to_string())));
        }
    }
    let agent = |name: &str| AgentName::new(name).map_err(|bad| DecodeError::field("name", bad));
    let caller = |name: &str| match name.len() {
        0 => Err(DecodeError::field("name", Wrong::Missing)),
        1..=CALLER_BYTES_MAX => Ok(name.to_owned()),
        bytes => Err(DecodeError::field("name", Wrong::Large { bytes, max: CALLER_BYTES_MAX })),
    };
    Ok(Revocations {
        sessions,
        callers: named("callers", wire.callers, caller)?,
        agents: named("agents", wire.agents, agent)?,
    })
}

fn named<N: Ord>(
    list: &'static str,
    wire: Vec<wire::revocations::Named>,
    read: impl Fn(&str) -> Result<N, DecodeError>,
) -> Result<BTreeMap<N, u64>, DecodeError> {
    field::count(list, wire.len(), REVOCATIONS_MAX)?;
    let mut all = BTreeMap::new();
    for (at, named) in wire.into_iter().enumerate() {
        let inside = |bad: DecodeError| bad.inside_item(list, at);
        let since = field::seconds("at", named.at).map_err(inside)?;
        if all.insert(read(&named.name).map_err(inside)?, since).is_some() {
            return Err(DecodeError::item(list, at, Wrong::Twice(cut(&named.name))));
        }
    }
    Ok(all)
}
