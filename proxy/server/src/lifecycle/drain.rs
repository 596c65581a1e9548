//! Stopping in order: a token that says when, and a set of tasks that is joined.
//!
//! In: tasks. Out: their ends, awaited up to a limit; what is still there then is aborted.
//! Invariant: after [`Tasks::stop`] none of the tasks runs.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// Says when to stop; its clones and children stop with it.
pub type Stop = CancellationToken;

/// Tasks with one owner.
#[derive(Debug, Default)]
pub struct Tasks {
    set: JoinSet<&'static str>,
    stop: Stop,
}

impl Tasks {
    /// A token that is cancelled when [`Tasks::stop`] begins.
    pub fn token(&self) -> Stop {
        self.stop.clone()
    }

    /// Runs `task`; it is to end when the token is cancelled.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.set.spawn(async move {
            task.await;
            name
        });
    }

    /// Ends when a task ends although nobody asked it to; names it.
    pub async fn first_end(&mut self) -> Option<&'static str> {
        self.set.join_next().await.map(|end| end.unwrap_or("a task that panicked"))
    }

    /// Asks all to end, waits up to `grace`, then aborts and joins what is left.
    pub async fn stop(&mut self, grace: Duration) {
        self.stop.cancel();
        let ended = timeout(grace, async {
            while let Some(end) = self.set.join_next().await {
                if let Err(failure) = end
                    && failure.is_panic()
                {
                    error!("a task panicked; please report it");
                }
            }
        });
        if ended.await.is_err() {
            warn!(left = self.set.len(), "tasks did not end in time and are aborted");
            self.set.shutdown().await;
        }
    }
}
