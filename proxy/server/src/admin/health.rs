//! The health listener: probes for orchestrators, and metrics.
//!
//! `started` and `live` say whether to restart the proxy, `ready` whether to send it work; it also says what is missing.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::lifecycle::Readiness;
use crate::telemetry::Metrics;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the health listener reads.
#[derive(Clone)]
pub struct Health {
    pub readiness: Readiness,
    pub metrics: Metrics,
    pub registry: Arc<Registry>,
}

pub fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz/started", get(started))
        .route("/healthz/ready", get(ready))
        .route("/healthz/live", get(|| async { "live\n" }))
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn started(State(health): State<Health>) -> Response {
    match health.readiness.report().started {
        true => "started\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "starting\n").into_response(),
    }
}

async fn ready(State(health): State<Health>) -> Response {
    readiness(&health.readiness)
}

/// The first line is the verdict, the next ones say why.
pub(super) fn readiness(readiness: &Readiness) -> Response {
    let report = readiness.report();
    let (status, verdict) =
        if report.ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    let lines: Vec<&str> = [verdict].into_iter().chain(report.details.iter().map(String::as_str)).collect();
    (status, lines.join("\n") + "\n").into_response()
}

async fn metrics(State(health): State<Health>) -> Response {
    health.metrics.refresh(SystemTime::now());
    let mut text = String::new();
    match encode(&mut text, &health.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
