//! Joins what control sends and what the probes see to the one world.
//!
//! In: candidate snapshots, the own agents. Out: worlds in the cell, an answer for each candidate, readiness.
//! Never here: streams, files, the request path; compiling runs on a thread that serves no calls.
//! Invariant: the only writer of the cell; a refused candidate leaves the world as it was.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use outrigger_client::{Candidate, Source, Status, Watch};
use outrigger_model::digest::Digest;
use outrigger_model::manifest::Manifest;
use outrigger_model::requirement::Dependency;
use outrigger_model::resource::{Epoch, Serial};
use outrigger_model::snapshot::Snapshot;
use outrigger_proxy_core::world::compile::{Own, Rules, compile};
use outrigger_proxy_core::world::table::World;
use tokio::sync::watch;
use tracing::error;

use super::frozen::Frozen;
use super::worlds::Worlds;
use crate::health::local::{LocalReplica, LocalReplicas};
use crate::lifecycle::{Condition, Readiness, Stop};
use crate::telemetry::Events;

/// Which snapshot is in use and where it came from, for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub epoch: Epoch,
    pub serial: Serial,
    pub digest: Digest,
    pub made_at: SystemTime,
    pub reason: String,
    /// From control, or from the last good file.
    pub from_control: bool,
}

/// Where snapshots come from.
pub enum Feed {
    Control(Watch),
    /// No control is configured; what the last good file held, if anything.
    File(Option<Frozen>),
}

/// The parts that a join works on.
pub struct Join {
    /// Taken when the work begins.
    feed: Option<Feed>,
    worlds: Arc<Worlds>,
    events: Arc<Events>,
    rules: Rules,
    own: watch::Receiver<LocalReplicas>,
    readiness: Readiness,
    first_world: Condition,
    applied: watch::Sender<Option<Applied>>,
    /// The one that the world is made of.
    snapshot: watch::Sender<Arc<Snapshot>>,
    serial: Option<Serial>,
    /// What the agents of this proxy depend on, as it changes.
    needs: watch::Receiver<Vec<Dependency>>,
}

impl Join {
    /// A join that has applied nothing yet; the proxy is not ready until it has.
    pub fn new(
        feed: Feed,
        worlds: Arc<Worlds>,
        events: Arc<Events>,
        rules: Rules,
        own: watch::Receiver<LocalReplicas>,
        readiness: &Readiness,
    ) -> Self {
        let waits_for = match &feed {
            Feed::Control(_) => "the first one from control",
            Feed::File(Some(_)) => "the last good one is being compiled",
            Feed::File(None) => "no `control:` is configured and there is no last good snapshot",
        };
        Self {
            feed: Some(feed),
            worlds,
            events,
            rules,
            own,
            first_world: readiness.condition("snapshot", waits_for),
            readiness: readiness.clone(),
            applied: watch::Sender::new(None),
            snapshot: watch::Sender::default(),
            serial: None,
            needs: watch::channel(Vec::new()).1,
        }
    }

    /// Follows what the agents depend on, from the feed's own needs on.
    pub fn needing(self, needs: watch::Receiver<Vec<Dependency>>) -> Self {
        Self { needs, ..self }
    }

    /// The snapshot in use, as it changes.
    pub fn applied(&self) -> watch::Receiver<Option<Applied>> {
        self.applied.subscribe()
    }

    /// The same, with what is in it.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshot.subscribe()
    }

    /// Works until it is stopped; then the last good file is written to its end.
    pub async fn run(mut self, stop: Stop) {
        // The own agents can be called by peers before control is heard.
        self.recompile().await;
        match self.feed.take() {
            Some(Feed::Control(watch)) => self.follow(watch, stop).await,
            Some(Feed::File(frozen)) => self.stay(frozen, stop).await,
            None => {}
        }
    }

    async fn follow(&mut self, mut watch: Watch, stop: Stop) {
        let mut status = watch.status();
        let mut needs = self.needs.clone();
        let mut probes_alive = true;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                candidate = watch.next() => match candidate {
                    Some(candidate) => self.judge(candidate).await,
                    None => {
                        error!("the watch of snapshots ended by itself; restart this proxy");
                        break;
                    }
                },
                changed = self.own.changed(), if probes_alive => match changed {
                    Ok(()) => self.recompile().await,
                    Err(_) => probes_alive = false,
                },
                Ok(()) = needs.changed() => watch.need(needs.borrow_and_update().clone()),
                Ok(()) = status.changed() => {
                    let news = status.borrow_and_update().clone();
                    self.tell(&news);
                }
            }
        }
        watch.stop().await;
        // Whoever stops this proxy has not lost control.
        if !stop.is_cancelled() {
            self.events.control_connected(false);
        }
    }

    async fn stay(&mut self, frozen: Option<Frozen>, stop: Stop) {
        if let Some(frozen) = frozen {
            self.readiness.note("stale", Some("no `control:` is configured; the last good snapshot is in use".into()));
            if let Err(reason) = self.apply(frozen.snapshot, &frozen.manifest, false).await {
                self.events.snapshot_refused(frozen.manifest.serial.0, &reason);
                self.first_world.unmet("the last good snapshot does not fit this proxy; see the log");
            }
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = self.own.changed() => match changed {
                    Ok(()) => self.recompile().await,
                    Err(_) => return stop.cancelled().await,
                },
            }
        }
    }

    async fn judge(&mut self, candidate: Candidate) {
        let Candidate { snapshot, manifest, source, answer, .. } = candidate;
        match self.apply(snapshot, &manifest, source != Source::File).await {
            Ok(()) => answer.accept(),
            Err(reason) => {
                self.events.snapshot_refused(manifest.serial.0, &reason);
                answer.refuse(reason);
            }
        }
    }

    async fn apply(&mut self, snapshot: Arc<Snapshot>, manifest: &Manifest, from_control: bool) -> Result<(), String> {
        let world = self.compiled(Arc::clone(&snapshot), Some(manifest.serial)).await?;
        self.worlds.replace(world);
        self.snapshot.send_replace(snapshot);
        self.serial = Some(manifest.serial);
        self.events.snapshot_applied(manifest.serial.0, manifest.made_at, &manifest.reason);
        self.applied.send_replace(Some(Applied {
            epoch: manifest.epoch,
            serial: manifest.serial,
            digest: manifest.digest,
            made_at: manifest.made_at,
            reason: manifest.reason.clone(),
            from_control,
        }));
        self.first_world.met();
        Ok(())
    }

    /// The same snapshot with the own agents as they are now.
    async fn recompile(&mut self) {
        let snapshot = Arc::clone(&self.snapshot.borrow());
        match self.compiled(snapshot, self.serial).await {
            Ok(world) => self.worlds.replace(world),
            Err(reason) => error!(reason, "the snapshot in use does not compile again; the world stays as it was"),
        }
    }

    async fn compiled(&mut self, snapshot: Arc<Snapshot>, serial: Option<Serial>) -> Result<World, String> {
        let own: Vec<Own> = self.own.borrow_and_update().iter().filter_map(LocalReplica::own).collect();
        let (previous, rules) = (self.worlds.current(), self.rules.clone());
        let work = move || compile(&snapshot, serial, &own, rules, &previous, Instant::now());
        let compiled = tokio::task::spawn_blocking(work).await;
        compiled.map_err(|_| "compiling it panicked".to_owned())?.map_err(|error| error.to_string())
    }

    fn tell(&self, status: &Status) {
        self.events.control_connected(status.connected);
        let note = status.stale_since.map(|since| {
            let why = status.last_error.as_deref().unwrap_or("not connected yet");
            format!("control does not vouch for the snapshot since {} s: {why}", since.elapsed().as_secs())
        });
        self.readiness.note("stale", note);
    }
}

#[cfg(test)]
mod tests;
