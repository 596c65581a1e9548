//! A whole proxy: starts its parts in order, and stops them in order.
//!
//! In: [`Settings`]. Out: a [`Running`] proxy with its real addresses, or a [`StartError`] that says what to do.
//! Never here: signals, process exits, the log's setup: several proxies and a control may share one process.
//! Invariant: sockets are bound first, so that a busy port costs nothing else; what was started is stopped and joined.
//!
//! Order of the start: listeners, identity, session store, own agents, snapshots, registration, gateway, then `started`.
//! Order of the stop: not ready, leave the mesh, let calls in flight end, snapshots and probes, operators last.

mod error;
mod ports;
mod mesh;
mod before;
mod opened;
mod calls;
mod running;
mod start;

use crate::config::Settings;

pub use error::StartError;
pub use ports::Ports;
pub use running::{Running, Taken};

/// The door to a proxy.
#[derive(Debug, Clone, Copy)]
pub struct Proxy;

impl Proxy {
    /// Starts a proxy; must be called inside a tokio runtime. It answers when this returns, and is ready when its first
    /// world is there.
    pub async fn start(settings: Settings) -> Result<Running, StartError> {
        start::start(settings, false).await
    }

    /// Takes over from the proxy that answers at the socket of the settings: its listeners, and what it knows of sessions. If this
    /// fails, that one goes on; after it, that one ends its calls and itself.
    pub async fn take_over(settings: Settings) -> Result<Running, StartError> {
        start::start(settings, true).await
    }
}

#[cfg(test)]
mod tests;
