//! A thousand watchers as proxies have one each: streams of their own, snapshots verified whole, then acknowledged.
//!
//! In: control, how many. Out: who applied which snapshot when.
//! They run on a thread of their own, so that their work does not keep the reports of this process waiting, and they come a
//! few at a time: control lets go of a connection that does not answer it for seconds.
//! Invariant: a time is taken when a snapshot was verified and is accepted, right before its acknowledgement is sent.

use std::net::SocketAddr;
use std::time::Instant;

use outrigger_client::{Watch, WatchConfig};
use outrigger_identity::channel::channel;
use outrigger_model::name::NodeId;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use super::error::ControlError;

/// Applied snapshots that wait to be counted.
const WAITING_MAX: usize = 65_536;
/// Watchers that are started at the same time.
const AT_ONCE: usize = 32;

/// One watcher applied one snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Applied {
    pub watcher: usize,
    pub serial: u64,
    pub at: Instant,
}

#[derive(Debug)]
pub struct Watchers {
    applied: mpsc::Receiver<Applied>,
    /// The newest snapshot of each.
    runs: Vec<u64>,
    control: SocketAddr,
    tell: mpsc::Sender<Applied>,
    /// None once it is being ended.
    runtime: Option<Runtime>,
}

impl Drop for Watchers {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Watchers {
    /// Starts so many, each of which runs `serial` or a later snapshot when this returns.
    pub async fn start(control: SocketAddr, count: usize, serial: u64) -> Result<Self, ControlError> {
        let (tell, applied) = mpsc::channel(WAITING_MAX);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let mut watchers = Self { applied, runs: Vec::with_capacity(count), control, tell, runtime: Some(runtime) };
        while watchers.runs.len() < count {
            for _ in 0..AT_ONCE.min(count - watchers.runs.len()) {
                watchers.start_one()?;
            }
            watchers.all_run(serial).await;
        }
        Ok(watchers)
    }

    fn start_one(&mut self) -> Result<(), ControlError> {
        let watcher = self.runs.len();
        let wrong = |bad: &dyn std::fmt::Display| ControlError::Wrong(bad.to_string());
        let node = NodeId::new(&format!("watcher-{watcher}")).map_err(|bad| wrong(&bad))?;
        let address = self.control.to_string();
        let Some(runtime) = &self.runtime else { return Ok(()) };
        let _inside = runtime.enter();
        // Checked once here, because the closure cannot fail.
        let first = channel(&address, None).map_err(|bad| wrong(&bad))?;
        let connect = move || channel(&address, None).unwrap_or_else(|_| first.clone());
        let mut watch = Watch::start(connect, WatchConfig::new(node, "outrigger-load"));
        let tell = self.tell.clone();
        runtime.spawn(async move {
            while let Some(candidate) = watch.next().await {
                let serial = candidate.manifest.serial.0;
                candidate.answer.accept();
                if tell.send(Applied { watcher, serial, at: Instant::now() }).await.is_err() {
                    return;
                }
            }
        });
        self.runs.push(0);
        Ok(())
    }

    /// Waits until every watcher runs `serial` or a later one; when each of them came there, in the order in which they came.
    pub async fn all_run(&mut self, serial: u64) -> Vec<Instant> {
        let mut came = Vec::with_capacity(self.runs.len());
        let mut missing = self.runs.iter().filter(|runs| **runs < serial).count();
        while missing > 0 {
            let Some(applied) = self.applied.recv().await else { return came };
            let Some(runs) = self.runs.get_mut(applied.watcher) else { continue };
            if *runs < serial && applied.serial >= serial {
                missing -= 1;
                came.push(applied.at);
            }
            *runs = (*runs).max(applied.serial);
        }
        came
    }
}
