//! `/healthz/started`, `/healthz/ready`, `/healthz/live`: 200 or 503, with a word for people.

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::api::Api;

pub async fn started(State(api): State<Api>) -> (StatusCode, String) {
    answer(api.lifecycle.has_started(), &api)
}

pub async fn ready(State(api): State<Api>) -> (StatusCode, String) {
    answer(api.lifecycle.is_ready(), &api)
}

/// Whoever answers lives.
pub async fn live() -> &'static str {
    "ok\n"
}

fn answer(is_fine: bool, api: &Api) -> (StatusCode, String) {
    if is_fine {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    let waits_for = api.lifecycle.waits_for();
    let why = if waits_for.is_empty() { "stopping".to_owned() } else { format!("waits for {}", waits_for.join(", ")) };
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n"))
}
