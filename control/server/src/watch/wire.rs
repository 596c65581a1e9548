//! Snapshots, changes and watchers in the messages of the gRPC service.

use std::time::SystemTime;

use outrigger_model::resource::{ResourceKind, Serial};
use outrigger_wire::body::any;
use outrigger_wire::proto::snapshot::change::Op as WireOp;
use outrigger_wire::proto::snapshot::watcher::Refusal;
use outrigger_wire::proto::snapshot::{Change, Changes, Resource, Snapshot, Watcher};

use crate::discovery::watchers::Row;
use crate::publish::edition::{Edition, Topic};
use crate::publish::step::{Op, Touch};
use crate::watch::cursor::{Filter, Say, body};
use crate::watch::words::origin;

pub fn snapshot(edition: &Edition, filter: &Filter) -> Snapshot {
    let kinds = ResourceKind::ALL.into_iter().filter(|kind| filter.wants(*kind));
    let resources = kinds.flat_map(|kind| {
        let entries = edition.shelf(Topic::Resources(kind)).entries.iter();
        entries.map(move |(name, entry)| Resource {
            name: name.clone(),
            token: entry.token.to_string(),
            body: Some(any(kind, &entry.body)),
        })
    });
    let (reason, made_at) = origin(edition).unwrap_or((String::new(), SystemTime::UNIX_EPOCH));
    Snapshot {
        epoch: edition.epoch.0,
        serial: edition.serial.0,
        digest: edition.digest.as_bytes().to_vec(),
        reason,
        made_at: Some(made_at.into()),
        resources: resources.collect(),
    }
}

pub fn changes(say: &Say, bodies: bool) -> Changes {
    let edition = &say.edition;
    let (reason, made_at) = origin(edition).unwrap_or((String::new(), SystemTime::UNIX_EPOCH));
    Changes {
        made_at: Some(made_at.into()),
        epoch: edition.epoch.0,
        serial: edition.serial.0,
        digest: edition.digest.as_bytes().to_vec(),
        reason,
        reset: say.is_reset,
        synced: say.is_synced,
        changes: say.changes.iter().map(|touch| change(edition, touch, bodies)).collect(),
    }
}

fn change(edition: &Edition, touch: &Touch, bodies: bool) -> Change {
    let op = match touch.op {
        Op::Added => WireOp::Added,
        Op::Changed => WireOp::Changed,
        Op::Removed => WireOp::Removed,
    };
    let body = body(edition, touch).filter(|_| bodies);
    Change {
        r#type: touch.kind.as_str().to_owned(),
        name: touch.name.to_string(),
        op: op.into(),
        token: touch.token.to_string(),
        body: body.map(|body| any(touch.kind, body)),
    }
}

/// `target` is the newest edition of its view; none if nobody watches that any more.
pub fn watcher(row: Row, target: Option<&Edition>, now: SystemTime) -> Watcher {
    let is_behind = |target: &&Edition| row.applied != Some(target.serial);
    let made_at = target.filter(is_behind).and_then(|target| origin(target).ok()).map(|(_, made_at)| made_at);
    let lag = made_at.map(|made_at| now.duration_since(made_at).unwrap_or_default());
    let refusal = row.refusal.map(|(Serial(serial), detail)| Refusal { serial, detail });
    Watcher {
        node: row.node.to_string(),
        identity: row.identity.map(|identity| identity.to_string()).unwrap_or_default(),
        build: row.build,
        connected: row.streams > 0,
        view: row.view.to_string(),
        serial: row.applied.map(|serial| serial.0),
        digest: row.digest.map(|digest| digest.as_bytes().to_vec()).unwrap_or_default(),
        target: target.map_or(0, |target| target.serial.0),
        lag: lag.and_then(|lag| lag.try_into().ok()),
        refusal,
    }
}
