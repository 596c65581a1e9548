//! `GET /v1/history?before=&limit=`: every intent there was, newest first; `GET /v1/intents/{number}`: one of them with its document.
//!
//! Invariant: values of header fields are hidden.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use outrigger_control_core::intent::record::IntentRecord;
use outrigger_wire::time::rfc3339;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::api::{Api, Items};
use crate::http::refused::Refused;
use crate::intent::desk::{PAGE_MAX, Refusal};
use crate::intent::shown::shown;

#[derive(Debug, Deserialize)]
pub struct Page {
    before: Option<u64>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
pub struct IntentItem {
    number: u64,
    /// Whether it is the one that runs.
    runs: bool,
    source: &'static str,
    at: String,
    author: String,
    reason: String,
    parent: Option<u64>,
    undoes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Value>,
}

pub async fn list(
    State(api): State<Api>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Items<IntentItem>>, Refused> {
    let Query(Page { before, limit }) = page?;
    let records = api.desk.history(before, limit.unwrap_or(PAGE_MAX)).await?;
    let current = api.desk.current();
    Ok(Json(Items { items: records.into_iter().map(|record| item(record, current)).collect() }))
}

pub async fn one(
    State(api): State<Api>,
    number: Result<Path<u64>, PathRejection>,
) -> Result<Json<IntentItem>, Refused> {
    let Path(number) = number?;
    let record = api.desk.record(number).await?;
    let document = shown(&record.document).ok_or(Refusal::Unread)?;
    Ok(Json(IntentItem { document: Some(document), ..item(record, api.desk.current()) }))
}

fn item(record: IntentRecord, current: u64) -> IntentItem {
    let IntentRecord { number, at, author, reason, parent, undoes, source, .. } = record;
    IntentItem {
        number,
        runs: number == current,
        source: source.as_str(),
        at: rfc3339(at),
        author,
        reason,
        parent,
        undoes,
        document: None,
    }
}
