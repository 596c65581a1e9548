//! The handle on a running watcher.
//!
//! In: a way to reach control, a [`WatchConfig`]. Out: [`Candidate`]s one at a time, and a [`Status`].

use outrigger_model::requirement::Dependency;
use outrigger_wire::watcher::{Role, Watcher};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tracing::warn;

use crate::backoff::Backoff;
use crate::candidate::Candidate;
use crate::config::WatchConfig;
use crate::exchange::Exchange;
use crate::runner::Runner;
use crate::status::Status;
use crate::writer::Writer;

/// A running watcher. Dropping it ends the task; [`Watch::stop`] also waits for the last write of the file.
#[derive(Debug)]
pub struct Watch {
    candidates: mpsc::Receiver<Candidate>,
    status: watch::Receiver<Status>,
    needs: watch::Sender<Vec<Dependency>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Starts watching; must be called inside a tokio runtime.
    ///
    /// `connect` makes a lazy channel to control. It is called for every try, so that a dead connection is never used
    /// again and new certificates are taken up.
    pub fn start(connect: impl Fn() -> Channel + Send + Sync + 'static, config: WatchConfig) -> Self {
        Self::start_as(Role::Proxy, connect, config)
    }

    pub(crate) fn start_as(
        role: Role,
        connect: impl Fn() -> Channel + Send + Sync + 'static,
        config: WatchConfig,
    ) -> Self {
        let (offers, candidates) = mpsc::channel(1);
        let (told, status) = watch::channel(Status::starting());
        let (stop, stopped) = oneshot::channel();
        let (needs, needed) = watch::channel(config.needs.clone());
        let WatchConfig { node, needs: first, namespace, build, labels, only_needs, .. } = config.clone();
        let watcher = Watcher { node, role, needs: first, namespace, build, labels, only_needs };
        let timing = config.timing;
        let runner = Runner {
            connect,
            exchange: Exchange::new(watcher),
            needed,
            offers,
            told,
            timing,
            backoff: Backoff::new(timing.retry_first, timing.retry_longest, fastrand::Rng::new()),
            writer: config.last_good.as_ref().map(|path| Writer::start(path.clone(), timing.write_every)),
        };
        let task = tokio::spawn(runner.run(config.last_good, stopped));
        Self { candidates, status, needs, stop, task }
    }

    /// The next snapshot to apply; none once the watcher has ended. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Candidate> {
        self.candidates.recv().await
    }

    /// Depends on `needs` from now on. The snapshot in use stays until control has sent the one that includes them; the same needs in
    /// another order change nothing.
    pub fn need(&self, mut needs: Vec<Dependency>) {
        needs.sort_by(|a, b| a.alias.cmp(&b.alias));
        self.needs.send_if_modified(|known| {
            let mut before: Vec<_> = known.iter().collect();
            before.sort_by(|a, b| a.alias.cmp(&b.alias));
            let changed = !before.into_iter().eq(&needs);
            if changed {
                *known = needs;
            }
            changed
        });
    }

    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Ends the stream, writes what is not yet in the last good file, and returns when all is done.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        drop(self.candidates);
        if self.task.await.is_err() {
            warn!("the watch task failed");
        }
    }
}

#[cfg(test)]
mod tests;
