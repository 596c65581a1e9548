//! What operators and orchestrators may ask the proxy itself.
//!
//! In: HTTP on the admin and the health listener. Out: JSON and text about settings, world, readiness, metrics.
//! Never here: calls of agents; anything that changes the proxy.
//! Invariant: no key, no password and no session id is in any answer.

mod listener;
mod dump;
mod explain;
mod sessions;
pub mod health;
pub mod operator;

pub use listener::Bounded;

use axum::Router;
use tokio::net::TcpListener;
use tracing::warn;

use crate::lifecycle::Stop;

/// Answers on one listener until it is stopped.
pub async fn serve(listener: TcpListener, router: Router, stop: Stop) {
    let served = axum::serve(Bounded::new(listener), router).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.await {
        warn!(%error, "a listener for operators ended badly");
    }
}

#[cfg(test)]
mod tests;
