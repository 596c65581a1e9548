//! Watches without serving: every change of every snapshot, in order, and a marker when a snapshot is complete.
//!
//! Invariant: a snapshot is acknowledged only after all its changes and its marker were taken, so none is missed.

use std::collections::VecDeque;
use std::time::SystemTime;

use outrigger_model::resource::{Epoch, Serial};
use outrigger_wire::resource::{self, Resource};
use outrigger_wire::watcher::Role;
use tokio::sync::watch;
use tonic::transport::Channel;

use crate::candidate::{Answer, Candidate};
use crate::change::Change;
use crate::config::WatchConfig;
use crate::status::Status;
use crate::watch::Watch;

/// What an observer sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// One resource; its new content unless it was removed.
    Changed { change: Change, resource: Option<Box<Resource>> },
    /// Control has another store than before, or one that was restored, and counts anew. Where it is known what was held
    /// before, changes that follow lead on from there; [`crate::follower`] starts over from nothing.
    Reset { epoch: Epoch },
    /// All changes up to this snapshot were seen.
    Synced { epoch: Epoch, serial: Serial, reason: String, made_at: SystemTime },
}

/// A stream of changes.
#[derive(Debug)]
pub struct Observer {
    watch: Watch,
    pending: VecDeque<Observed>,
    /// Given once everything pending was taken.
    answer: Option<Answer>,
    /// Of the snapshot that was seen last.
    epoch: Option<Epoch>,
}

impl Observer {
    pub fn start(connect: impl Fn() -> Channel + Send + Sync + 'static, config: WatchConfig) -> Self {
        Self {
            watch: Watch::start_as(Role::Observer, connect, config),
            pending: VecDeque::new(),
            answer: None,
            epoch: None,
        }
    }

    /// The next thing seen; none once the watcher has ended. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Observed> {
        if let Some(observed) = self.pending.pop_front() {
            return Some(observed);
        }
        if let Some(answer) = self.answer.take() {
            answer.accept();
        }
        let Candidate { snapshot, manifest, changes, answer, .. } = self.watch.next().await?;
        self.answer = Some(answer);
        self.pending = changes
            .into_iter()
            .map(|change| {
                let resource = resource::find(change.kind, &change.name, snapshot.resources()).map(Box::new);
                Observed::Changed { change, resource }
            })
            .collect();
        let (epoch, serial, made_at) = (manifest.epoch, manifest.serial, manifest.made_at);
        if self.epoch.replace(epoch).is_some_and(|before| before != epoch) {
            self.pending.push_front(Observed::Reset { epoch });
        }
        self.pending.push_back(Observed::Synced { epoch, serial, reason: manifest.reason, made_at });
        self.pending.pop_front()
    }

    pub fn status(&self) -> watch::Receiver<Status> {
        self.watch.status()
    }

    pub async fn stop(self) {
        self.watch.stop().await;
    }
}
