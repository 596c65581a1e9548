//! `/jobs…`: agents with tasks ask for work, and there is none; nobody can leave any.
//!
//! Out: an empty claim, or 501. A job that was taken and never done would be worse than one that was refused.

use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::upstream::refused::Refused;

const HINT: &str =
    "call the tool itself: tools/call with progress, or a task of MCP 2025-11-25 and later, goes through the mesh";

pub async fn claim() -> Json<Value> {
    Json(json!({ "claimed": [] }))
}

pub async fn others() -> Refused {
    Refused::hinted(StatusCode::NOT_IMPLEMENTED, "jobs are not kept here", HINT)
}
