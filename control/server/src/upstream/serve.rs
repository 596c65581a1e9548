//! The paths of the registry API of mcp-mesh.

use axum::Router;
use axum::routing::{any, delete, get, head, post};

use crate::upstream::desk::Desk;
use crate::upstream::{agents, heartbeat, jobs, light, read};

pub fn router(desk: Desk) -> Router {
    Router::new()
        .route("/", get(read::root))
        .route("/health", get(read::health))
        .route("/heartbeat", post(heartbeat::post))
        .route("/heartbeat/{id}", head(light::head))
        .route("/agents", get(agents::list))
        .route("/agents/{id}", delete(light::delete))
        .route("/events", get(read::events))
        .route("/schemas", get(read::schemas))
        .route("/schemas/{hash}", get(read::schema))
        .route("/a2a/agents", get(read::surfaces))
        .route("/jobs/claim", post(jobs::claim))
        .route("/jobs", any(jobs::others))
        .route("/jobs/{*rest}", any(jobs::others))
        .with_state(desk)
}
