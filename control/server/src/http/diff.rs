//! `GET /v1/diff/{before}/{after}`: what differs between two intents, field by field.
//!
//! Invariant: values of header fields are hidden.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;

use crate::http::api::{Api, Items};
use crate::http::refused::Refused;
use crate::intent::difference::{Difference, FieldDifference};

#[derive(Debug, Serialize)]
pub struct DifferenceItem {
    change: &'static str,
    kind: &'static str,
    name: String,
    fields: Vec<FieldItem>,
}

#[derive(Debug, Serialize)]
struct FieldItem {
    path: String,
    before: Option<String>,
    after: Option<String>,
}

pub async fn between(
    State(api): State<Api>,
    numbers: Result<Path<(u64, u64)>, PathRejection>,
) -> Result<Json<Items<DifferenceItem>>, Refused> {
    let Path((before, after)) = numbers?;
    let differences = api.desk.diff(before, after).await?;
    Ok(Json(Items { items: differences.into_iter().map(item).collect() }))
}

fn item(difference: Difference) -> DifferenceItem {
    let Difference { kind, name, change, fields } = difference;
    let field = |FieldDifference { path, before, after }: FieldDifference| FieldItem { path, before, after };
    DifferenceItem { change: change.as_str(), kind, name, fields: fields.into_iter().map(field).collect() }
}
