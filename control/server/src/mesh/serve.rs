//! The paths of the mesh API.

use axum::Router;
use axum::routing::{any, get, post};

use crate::mesh::{register, services};
use crate::upstream::desk::Desk;

pub fn router(desk: Desk) -> Router {
    Router::new()
        .route("/api/v1/mesh/v2/register", post(register::register))
        .route("/api/v1/mesh/v2/services", get(services::list))
        .route("/api/v1/mcp/{service}/status", get(services::status))
        .route("/api/v1/mcp/{service}/execute", any(services::execute))
        .with_state(desk)
}
