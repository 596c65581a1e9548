//! The paths of the operator API, and the task that serves them.

use std::net::IpAddr;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::uri::Authority;
use axum::http::{Method, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tracing::warn;

use crate::authn::Plaintext;
use crate::caller::Caller;
use crate::http::api::Api;
use crate::http::door::Door;
use crate::http::problem::Problem;
use crate::http::publish::BODY_BYTES_MAX;
use crate::http::{
    agents, capabilities, diff, events, explain, health, history, leader, metrics, plan, proxies, publish, rollouts,
    routes, session_keys, sessions, snapshot, snapshots, stock, watch,
};

/// Paths that other rooms serve behind the same door.
#[derive(Debug)]
pub struct Others(pub Vec<Router>);

pub fn router(api: Api, others: Others) -> Router {
    let plaintext = api.plaintext;
    let own = own(api);
    let all = others.0.into_iter().fold(own, Router::merge);
    all.fallback(|uri: Uri| async move { Problem::unknown_path(uri.path()) })
        .layer(middleware::from_fn_with_state(plaintext, own_host))
}

fn own(api: Api) -> Router {
    Router::new()
        .route("/v1/agents", get(agents::list))
        .route("/v1/capabilities", get(capabilities::list))
        .route("/v1/routes", get(routes::list))
        .route("/v1/proxies", get(proxies::list))
        .route("/v1/snapshots", get(snapshots::list))
        .route("/v1/snapshot", get(snapshot::one))
        .route("/v1/watch", get(watch::follow))
        .route("/v1/stock", get(stock::list))
        .route("/v1/events", get(events::list))
        .route("/v1/leader", get(leader::show))
        .route("/v1/explain", get(explain::one))
        .route("/v1/sessions/revoke", post(sessions::revoke))
        .route("/v1/sessions/revocations", get(sessions::list))
        .route("/v1/session-keys", post(session_keys::rotate))
        .route("/v1/plan", post(plan::plan))
        .route("/v1/publish", post(publish::publish))
        .route("/v1/rollback", post(publish::roll_back))
        .route("/v1/history", get(history::list))
        .route("/v1/intents/{number}", get(history::one))
        .route("/v1/diff/{before}/{after}", get(diff::between))
        .route("/v1/rollouts", post(rollouts::start))
        .route("/v1/rollouts/current", get(rollouts::current))
        .route("/v1/rollouts/current/widen", post(rollouts::widen))
        .route("/v1/rollouts/current/promote", post(rollouts::promote))
        .route("/v1/rollouts/current/abort", post(rollouts::abort))
        .route("/metrics", get(metrics::scrape))
        .route("/healthz/started", get(health::started))
        .route("/healthz/ready", get(health::ready))
        .route("/healthz/live", get(health::live))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(api)
}

/// Answers hold nothing that a web page elsewhere should read through the browser of an operator, and no page changes anything.
async fn own_host(State(plaintext): State<Plaintext>, request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) && request.headers().contains_key(header::ORIGIN) {
        return Problem::foreign_origin().into_response();
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if plaintext == Plaintext::Anywhere || host.is_some_and(is_own) {
        return next.run(request).await;
    }
    Problem::foreign_host().into_response()
}

fn is_own(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

/// Serves until control stops.
pub async fn serve(listener: TcpListener, api: Api, others: Others) {
    let stopping = api.lifecycle.stopping().clone();
    let door = match Door::open(listener) {
        Ok(door) => door,
        Err(error) => {
            warn!(%error, "the operator API cannot be served");
            return;
        }
    };
    let service = router(api, others).into_make_service_with_connect_info::<Caller>();
    let served = axum::serve(door, service).with_graceful_shutdown(stopping.cancelled_owned()).await;
    if let Err(error) = served {
        warn!(%error, "the operator API ended");
    }
}
