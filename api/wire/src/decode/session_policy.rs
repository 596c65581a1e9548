//! Protobuf → session policy of a route.

use outrigger_model::key::{ArgumentKey, KEYS_MAX, KeySource, OnLoss, SessionPolicy};

use super::field;
use crate::error::{DecodeError, Wrong};
use crate::proto::snapshot::route as wire;

pub fn policy(keys: Vec<wire::Key>, on_loss: i32) -> Result<SessionPolicy, DecodeError> {
    Ok(SessionPolicy {
        keys: self::keys(keys)?,
        on_loss: match field::choice("on_loss", on_loss)? {
            wire::OnLoss::Unspecified | wire::OnLoss::NotFound => OnLoss::NotFound,
            wire::OnLoss::Reestablish => OnLoss::Reestablish,
        },
    })
}

pub fn keys(keys: Vec<wire::Key>) -> Result<Vec<KeySource>, DecodeError> {
    field::count("keys", keys.len(), KEYS_MAX)?;
    let keys = keys.into_iter().enumerate();
    keys.map(|(at, wire)| key(wire).map_err(|bad| bad.inside_item("keys", at))).collect()
}

fn key(wire: wire::Key) -> Result<KeySource, DecodeError> {
    let source = wire.source.ok_or_else(|| DecodeError::field("source", Wrong::Missing))?;
    let (field, read) = match source {
        wire::key::Source::Header(name) => ("header", KeySource::header(&name)),
        wire::key::Source::Param(name) => ("param", KeySource::param(&name)),
        wire::key::Source::Cookie(name) => ("cookie", KeySource::cookie(&name)),
        wire::key::Source::Argument(wire::Argument { path, tools }) => {
            ("argument", ArgumentKey::new(&path, tools).map(KeySource::Argument))
        }
    };
    read.map_err(|bad| DecodeError::field(field, bad))
}
