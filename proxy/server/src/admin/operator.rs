//! The admin listener: what the proxy runs with and what it sees.
//!
//! Invariant: a web page in a browser on this machine cannot read it: a `Host` that is a name other than `localhost` is
//! refused, since only a name can be made to point here by a stranger.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;
use tokio::sync::watch;

use super::dump;
use super::explain;
use super::health::readiness;
use super::sessions::{self, Page};
use crate::catalog::Catalog;
use crate::config::Settings;
use crate::lifecycle::Readiness;
use crate::session::sessions::Sessions;
use crate::snapshot::join::Applied;
use crate::snapshot::worlds::Worlds;

/// What the admin listener reads.
#[derive(Clone)]
pub struct Operator {
    pub settings: Arc<Settings>,
    pub worlds: Arc<Worlds>,
    pub applied: watch::Receiver<Option<Applied>>,
    pub readiness: Readiness,
    pub catalog: Arc<Catalog>,
    pub sessions: Arc<Sessions>,
}

pub fn router(operator: Operator) -> Router {
    Router::new()
        .route("/config_dump", get(config_dump))
        .route("/clusters", get(clusters))
        .route("/catalog", get(catalog))
        .route("/sessions", get(sessions))
        .route("/explain", get(explain))
        .route("/ready", get(ready))
        .with_state(operator)
        .layer(middleware::from_fn(refuse_foreign_hosts))
}

async fn config_dump(State(operator): State<Operator>) -> Json<Value> {
    let applied = operator.applied.borrow().clone();
    Json(dump::config(&operator.settings, applied.as_ref(), &operator.worlds.current()))
}

async fn clusters(State(operator): State<Operator>) -> Json<Value> {
    Json(dump::clusters(&operator.worlds.current(), Instant::now()))
}

async fn catalog(State(operator): State<Operator>) -> Json<Value> {
    // An object of ours is JSON.
    Json(serde_json::to_value(operator.catalog.dump()).unwrap_or_default())
}

async fn sessions(State(operator): State<Operator>, Query(page): Query<Page>) -> Json<Value> {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    Json(sessions::list(operator.sessions.held(), operator.sessions.is_shared(), &page, unix))
}

async fn explain(State(operator): State<Operator>, Query(pairs): Query<Vec<(String, String)>>) -> Response {
    let told = explain::asked(pairs).map(|asked| {
        let (world, held) = (operator.worlds.current(), operator.sessions.held());
        explain::tell(&world, &asked, operator.catalog.caller(), &held, Instant::now())
    });
    let (status, value) = told.unwrap_or_else(|bad| bad);
    (status, Json(value)).into_response()
}

async fn ready(State(operator): State<Operator>) -> Response {
    readiness(&operator.readiness)
}

async fn refuse_foreign_hosts(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if is_address_or_localhost(host) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "the admin listener is asked by address or as localhost\n").into_response()
}

fn is_address_or_localhost(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}
