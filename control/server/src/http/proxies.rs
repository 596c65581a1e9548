//! `GET /v1/proxies`: who watches, what each one runs, and whether that is the newest.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::resource::Serial;
use serde::Serialize;

use crate::discovery::watchers::Row;
use crate::http::api::{Api, Items};

#[derive(Debug, Serialize)]
pub struct ProxyItem {
    node: String,
    identity: Option<String>,
    build: String,
    labels: BTreeMap<String, String>,
    connected: bool,
    view: String,
    /// `canary` for a proxy that tries a candidate; empty for all others.
    lane: &'static str,
    serial: Option<u64>,
    target: Option<u64>,
    status: Status,
    refusal: Option<String>,
    acked_seconds_ago: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// It runs the newest snapshot of its view.
    Synced,
    /// It runs an older one, or has not said yet what it runs.
    Stale,
    /// It refused the newest and runs an older one.
    Refused,
    Disconnected,
}

pub async fn list(State(api): State<Api>) -> Json<Items<ProxyItem>> {
    let views = api.views.all().await;
    let targets = views.iter().map(|view| (view.key().clone(), view.newest().edition.serial)).collect();
    Json(Items { items: api.watchers.list().into_iter().map(|row| item(row, &targets)).collect() })
}

fn item(row: Row, targets: &BTreeMap<ViewKey, Serial>) -> ProxyItem {
    let target = targets.get(&row.view).copied();
    ProxyItem {
        status: status(&row, target),
        node: row.node.to_string(),
        identity: row.identity.map(|identity| identity.to_string()),
        build: row.build,
        labels: row.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        connected: row.streams > 0,
        view: row.view.to_string(),
        lane: row.lane.as_str(),
        serial: row.applied.map(|serial| serial.0),
        target: target.map(|serial| serial.0),
        refusal: row.refusal.map(|(serial, detail)| format!("{serial}: {detail}")),
        acked_seconds_ago: row.applied_at.map(|at| at.elapsed().as_secs()),
    }
}

fn status(row: &Row, target: Option<Serial>) -> Status {
    if row.streams == 0 {
        Status::Disconnected
    } else if row.refusal.is_some() {
        Status::Refused
    } else if row.applied.is_some() && row.applied == target {
        Status::Synced
    } else {
        Status::Stale
    }
}
