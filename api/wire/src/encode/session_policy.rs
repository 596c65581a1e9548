//! Session policy of a route → protobuf.

use outrigger_model::key::{KeySource, OnLoss};

use crate::proto::snapshot::route as wire;

pub fn key(key: &KeySource) -> wire::Key {
    let source = match key {
        KeySource::Header(name) => wire::key::Source::Header(name.clone()),
        KeySource::Param(name) => wire::key::Source::Param(name.clone()),
        KeySource::Cookie(name) => wire::key::Source::Cookie(name.clone()),
        KeySource::Argument(argument) => {
            let (path, tools) = (argument.path().join("."), argument.tools().to_vec());
            wire::key::Source::Argument(wire::Argument { path, tools })
        }
    };
    wire::Key { source: Some(source) }
}

pub const fn on_loss(on_loss: OnLoss) -> wire::OnLoss {
    match on_loss {
        OnLoss::NotFound => wire::OnLoss::NotFound,
        OnLoss::Reestablish => wire::OnLoss::Reestablish,
    }
}
