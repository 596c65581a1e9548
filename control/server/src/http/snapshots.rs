//! `GET /v1/snapshots?limit=`: the snapshots that were published, newest first.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use outrigger_control_core::port::{SnapshotRow, Store};
use outrigger_wire::time::rfc3339;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::http::api::{Api, Items};
use crate::http::problem::Problem;

const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 1_000;

#[derive(Debug, Deserialize)]
pub struct Page {
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
pub struct SnapshotItem {
    serial: u64,
    epoch: String,
    digest: String,
    made_at: String,
    reason: String,
}

pub async fn list(
    State(api): State<Api>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Items<SnapshotItem>>, Problem> {
    let Query(page) = page?;
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    let rows = api.store.snapshots(limit).await.map_err(|error| {
        warn!(%error, "snapshots could not be read");
        Problem::store()
    })?;
    Ok(Json(Items { items: rows.into_iter().map(item).collect() }))
}

fn item(row: SnapshotRow) -> SnapshotItem {
    SnapshotItem {
        serial: row.serial.0,
        epoch: row.epoch.to_string(),
        digest: row.digest.to_string(),
        made_at: rfc3339(row.made_at),
        reason: row.reason,
    }
}
