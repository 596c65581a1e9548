//! SIGINT and SIGTERM: the first asks for an orderly stop, the second ends it.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::output::note;
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

    /// Runs an orderly stop; another signal abandons it.
    pub async fn unless_again<T>(&mut self, stop: impl Future<Output = T>) -> Result<T, Problem> {
        tokio::select! {
            done = stop => Ok(done),
            () = self.next() => {
                note("second signal: stopping at once");
                Err(Problem::failed("stopped before everything was in order"))
            }
        }
    }
}

/// Hears SIGHUP, which says that a configuration file changed.
pub struct Hangups(Signal);

impl Hangups {
    pub fn listen() -> Result<Self, Problem> {
        let heard = signal(SignalKind::hangup());
        heard.map(Self).map_err(|cause| Problem::failed("signals cannot be heard").because(cause))
    }

    /// Returns with the next one; several that came meanwhile are one.
    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
