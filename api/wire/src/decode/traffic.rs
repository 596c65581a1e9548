//! Protobuf → what happens to calls beside being sent to their pool.

use outrigger_model::field::{is_token, is_value};
use outrigger_model::name::PoolName;
use outrigger_model::traffic::{
    BRANCHES_MAX, Branch, Faults, HEADER_EDITS_MAX, HEADER_VALUE_BYTES_MAX, HeaderEdits, Mirror, Priority, SHARES_MAX,
    Share, Traffic, When, is_protected,
};

use super::field;
use crate::error::{DecodeError, Wrong, cut};
use crate::proto::snapshot as wire;
use crate::proto::snapshot::traffic as part;

pub fn traffic(wire: wire::Traffic) -> Result<Traffic, DecodeError> {
    field::count("branches", wire.branches.len(), BRANCHES_MAX)?;
    let branches = wire.branches.into_iter().enumerate();
    let branches = branches.map(|(at, wire)| branch(wire).map_err(|bad| bad.inside_item("branches", at)));
    Ok(Traffic {
        branches: branches.collect::<Result<_, _>>()?,
        mirror: wire.mirror.map(|wire| mirror(&wire)).transpose().map_err(|bad| bad.inside("mirror"))?,
        faults: wire.faults.map(faults).transpose().map_err(|bad| bad.inside("faults"))?,
        headers: wire.headers.map_or_else(|| Ok(HeaderEdits::default()), edits).map_err(|bad| bad.inside("headers"))?,
        priority: match field::choice("priority", wire.priority)? {
            part::Priority::Low => Priority::Low,
            part::Priority::Unspecified | part::Priority::Normal => Priority::Normal,
            part::Priority::High => Priority::High,
        },
    })
}

fn branch(wire: part::Branch) -> Result<Branch, DecodeError> {
    field::count("shares", wire.shares.len(), SHARES_MAX)?;
    field::count("callers", wire.callers.len(), HEADER_EDITS_MAX)?;
    if wire.shares.is_empty() {
        return Err(DecodeError::field("shares", Wrong::Missing));
    }
    let shares = wire.shares.iter().enumerate();
    let shares = shares.map(|(at, wire)| share(wire).map_err(|bad| bad.inside_item("shares", at)));
    let when = When { headers: headers("headers", wire.headers)?, callers: wire.callers };
    Ok(Branch { when, shares: shares.collect::<Result<_, _>>()? })
}

fn share(wire: &part::Share) -> Result<Share, DecodeError> {
    let weight = field::within("weight", wire.weight, 0, 1_000)?;
    Ok(Share { pool: pool(&wire.pool)?, weight: u16::try_from(weight).unwrap_or(u16::MAX) })
}

fn mirror(wire: &part::Mirror) -> Result<Mirror, DecodeError> {
    Ok(Mirror { pool: pool(&wire.pool)?, percent: field::percent("percent", wire.percent, 1)? })
}

fn faults(wire: part::Faults) -> Result<Faults, DecodeError> {
    let status = wire.status.map(|status| field::within("status", status, 400, 599)).transpose()?;
    Ok(Faults {
        percent: field::percent("percent", wire.percent, 1)?,
        delay: wire.delay.map(|delay| field::duration("delay", delay)).transpose()?,
        status: status.and_then(|status| u16::try_from(status).ok()),
    })
}

fn edits(wire: part::HeaderEdits) -> Result<HeaderEdits, DecodeError> {
    field::count("remove", wire.remove.len(), HEADER_EDITS_MAX)?;
    for (at, name) in wire.remove.iter().enumerate() {
        check_name(name).map_err(|wrong| DecodeError::item("remove", at, wrong))?;
    }
    let edits = HeaderEdits { remove: wire.remove, set: headers("set", wire.set)?, add: headers("add", wire.add)? };
    if let Some(name) = edits.names().find(|name| is_protected(name)) {
        return Err(DecodeError::here(Wrong::ProtectedHeader(cut(name))));
    }
    Ok(edits)
}

fn headers(name: &'static str, wire: Vec<part::Header>) -> Result<Vec<(String, String)>, DecodeError> {
    field::count(name, wire.len(), HEADER_EDITS_MAX)?;
    let header = |(at, header): (usize, part::Header)| {
        check_name(&header.name)
            .and_then(|()| check_value(&header.value))
            .map_err(|bad| DecodeError::item(name, at, bad))?;
        Ok((header.name, header.value))
    };
    wire.into_iter().enumerate().map(header).collect()
}

fn check_name(name: &str) -> Result<(), Wrong> {
    let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
    if name.len() <= 128 && is_lower && is_token(name) { Ok(()) } else { Err(Wrong::Header(cut(name))) }
}

fn check_value(value: &str) -> Result<(), Wrong> {
    if value.len() > HEADER_VALUE_BYTES_MAX {
        return Err(Wrong::Large { bytes: value.len(), max: HEADER_VALUE_BYTES_MAX });
    }
    // The value may be a secret and is not repeated.
    if is_value(value) { Ok(()) } else { Err(Wrong::HeaderValue) }
}

fn pool(name: &str) -> Result<PoolName, DecodeError> {
    PoolName::new(name).map_err(|bad| DecodeError::field("pool", bad))
}
