//! Calls that come from inside the process, over pipes.
//!
//! In: far ends of pipes. Out: connections, served as those of the outbound listener are.
//! Why they go through the same door: a call of ours is a call like any other, with sessions, retries, limits and metrics.
//! Invariant: they are served until the calls that made them have ended; none is left when `stop` returns.

use std::sync::Arc;

use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::closing::{Closing, Stage};
use super::connection;
use super::serve::Side;
use super::wire::Wire;
use crate::identity::link::Link;

/// The door for pipes.
pub struct Inside {
    closing: Arc<Closing>,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl Inside {
    /// Serves pipes until it is stopped. Must be called inside a tokio runtime.
    pub fn serve(side: Side, mut far_ends: mpsc::Receiver<DuplexStream>) -> Self {
        let (closing, tasks, stopping) = (Arc::new(Closing::default()), TaskTracker::new(), CancellationToken::new());
        let (entrance, connections, stop) = (Arc::clone(&closing), tasks.clone(), stopping.clone());
        let side = Arc::new(side);
        tasks.spawn(async move {
            loop {
                let pipe = tokio::select! {
                    pipe = far_ends.recv() => pipe,
                    () = stop.cancelled() => return,
                };
                let (Some(pipe), Some(place)) = (pipe, entrance.enter()) else { return };
                let side = Arc::clone(&side);
                connections.spawn(async move { connection::serve(&side, Wire::new(Link::Inside(pipe)), &place).await });
            }
        });
        Self { closing, tasks, stopping }
    }

    /// Cuts what is left: nobody waits for it any more.
    pub async fn stop(self) {
        self.stopping.cancel();
        self.closing.go(Stage::Cut);
        self.tasks.close();
        self.tasks.wait().await;
    }
}
