//! `POST /v1/session-keys`: a new key of session ids, shared at once and used a moment later.
//!
//! Never here, or in any answer: a key. A number names it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use outrigger_control_core::keyring::SHARED_FIRST;
use serde::Serialize;

use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::writer::NotRotated;

#[derive(Debug, Serialize)]
pub struct Rotated {
    key: u32,
    seals_in_seconds: u64,
}

pub async fn rotate(State(api): State<Api>) -> Result<(StatusCode, Json<Rotated>), Problem> {
    match api.writer.rotate_key().await {
        Ok(key) => Ok((StatusCode::CREATED, Json(Rotated { key, seals_in_seconds: SHARED_FIRST.as_secs() }))),
        Err(NotRotated::Stopped) => Err(Problem::stopping()),
        Err(NotRotated::NotLeading(not_leading)) => Err(Problem::not_leading(not_leading.to_string())),
        Err(NotRotated::Storing) => Err(Problem::store()),
        Err(cause @ (NotRotated::Keys(_) | NotRotated::Chance)) => Err(Problem::no_new_key(cause.to_string())),
    }
}
