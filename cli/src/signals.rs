//! SIGINT and SIGTERM: both ask for an orderly stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::problem::Problem;

/// Hears both signals from the moment it is made.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub fn listen() -> Result<Self, Problem> {
        let hear = |kind| signal(kind).map_err(|cause| Problem::failed("signals cannot be heard").because(cause));
        Ok(Self { interrupt: hear(SignalKind::interrupt())?, terminate: hear(SignalKind::terminate())? })
    }

    /// Returns with the next signal.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
