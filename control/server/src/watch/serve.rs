//! `outrigger.snapshot.v1.Snapshots`: snapshots and their changes over gRPC.
//!
//! In: requests of anyone whom control hears. Out: the view of an observer, whoever asks.
//! Never here: what a reader is told next; its cursor decides.
//! Invariant: a reader that takes nothing costs one message and an edition.

use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::{Stream, StreamExt as _, stream};
use outrigger_control_core::snapshot::scope::Scope;
use outrigger_model::resource::{Epoch, Serial};
use outrigger_wire::proto::snapshot::snapshots_server::Snapshots;
use outrigger_wire::proto::snapshot::{At, Between, Changes, Filter as Which, Since, Snapshot, Watcher};
use tonic::{Request, Response, Status};

use crate::authn::{Plaintext, peer};
use crate::discovery::watchers::Watchers;
use crate::publish::edition::Edition;
use crate::publish::step::{between, whole};
use crate::telemetry::metrics::Metrics;
use crate::watch::cursor::{Cursor, Filter, Say, Start};
use crate::watch::feed::Feed;
use crate::watch::feeds::{FeedError, Feeds};
use crate::watch::wire;
use crate::watch::words::kinds;
use outrigger_model::position::Position;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reading {
    pub feeds: Feeds,
    pub watchers: Watchers,
    pub metrics: Metrics,
    pub plaintext: Plaintext,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Snapshots for Reading {
    type WatchStream = Answers<Changes>;
    type WatchersStream = Answers<Watcher>;

    async fn read(&self, request: Request<At>) -> Result<Response<Snapshot>, Status> {
        peer(request.extensions(), self.plaintext)?;
        let At { serial, needs, types } = request.into_inner();
        let filter = filter(&types, true)?;
        let feed = self.feed(&needs).await?;
        Ok(Response::new(wire::snapshot(&*at(&feed, serial)?, &filter)))
    }

    async fn diff(&self, request: Request<Between>) -> Result<Response<Changes>, Status> {
        peer(request.extensions(), self.plaintext)?;
        let Between { from, to, needs, types, bodies, epoch } = request.into_inner();
        let filter = filter(&types, bodies)?;
        let feed = self.feed(&needs).await?;
        let edition = if to == 0 { feed.newest() } else { at(&feed, to)? };
        let is_other = epoch != 0 && Epoch(epoch) != edition.epoch;
        let mut changes = match from {
            _ if is_other => return Err(lost(from, &feed)),
            0 => whole(&edition),
            from => steps(&feed, Serial(from), &edition).ok_or_else(|| lost(from, &feed))?,
        };
        changes.retain(|touch| filter.wants(touch.kind));
        let say = Say { edition, is_reset: false, changes, is_synced: true };
        Ok(Response::new(wire::changes(&say, filter.bodies)))
    }

    async fn watch(&self, request: Request<Since>) -> Result<Response<Self::WatchStream>, Status> {
        peer(request.extensions(), self.plaintext)?;
        let Since { epoch, serial, types, needs, bodies } = request.into_inner();
        let filter = filter(&types, bodies)?;
        let full = |full: FeedError| Status::resource_exhausted(full.to_string());
        let place = self.feeds.place().map_err(full)?;
        let feed = self.feed(&needs).await?;
        let start = match serial {
            0 => Start::Nothing,
            serial => Start::At(Position { epoch: Epoch(epoch), serial: Serial(serial) }),
        };
        let counted = Counted::new(&self.metrics);
        let stopping = self.feeds.lifecycle().stopping().clone();
        let reader = (feed.follow(), Cursor::new(filter, start), feed, place, counted, stopping);
        let said = stream::unfold(reader, |mut reader| async move {
            let (editions, cursor, feed, _, _, stopping) = &mut reader;
            loop {
                let newest = Arc::clone(&editions.borrow_and_update().edition);
                if let Some(say) = cursor.next(&newest, |from| feed.steps(from, newest.serial)) {
                    let changes = wire::changes(&say, cursor.filter().bodies);
                    return Some((Ok(changes), reader));
                }
                tokio::select! {
                    () = stopping.cancelled() => return None,
                    changed = editions.changed() => changed.ok()?,
                }
            }
        });
        Ok(Response::new(said.boxed()))
    }

    async fn watchers(&self, request: Request<Which>) -> Result<Response<Self::WatchersStream>, Status> {
        peer(request.extensions(), self.plaintext)?;
        let Which { nodes, behind } = request.into_inner();
        let newest: Vec<_> =
            self.feeds.views().all().await.iter().map(|view| (view.key().clone(), view.newest().edition)).collect();
        let now = SystemTime::now();
        let rows =
            self.watchers.list().into_iter().filter(|row| nodes.is_empty() || nodes.contains(&row.node.to_string()));
        let rows = rows.map(|row| {
            let target = newest.iter().find(|(key, _)| *key == row.view).map(|(_, edition)| edition);
            wire::watcher(row, target.map(Arc::as_ref), now)
        });
        let rows: Vec<_> = rows.filter(|row| !behind || row.serial != Some(row.target)).map(Ok).collect();
        Ok(Response::new(stream::iter(rows).boxed()))
    }
}

impl Reading {
    async fn feed(&self, needs: &[String]) -> Result<Arc<Feed>, Status> {
        let scope = Scope::parse(needs).map_err(|bad| Status::invalid_argument(bad.to_string()))?;
        self.feeds.open(scope).await.map_err(|bad| Status::unavailable(bad.to_string()))
    }
}

fn filter(types: &[String], bodies: bool) -> Result<Filter, Status> {
    let kinds = kinds(types).map_err(|unknown| Status::invalid_argument(unknown.to_string()))?;
    Ok(Filter { kinds, bodies })
}

fn at(feed: &Feed, serial: u64) -> Result<Arc<Edition>, Status> {
    if serial == 0 {
        return Ok(feed.newest());
    }
    feed.at(Serial(serial)).map_err(|_| lost(serial, feed))
}

/// By what is remembered of the way, or by both ends where they are still there.
fn steps(feed: &Feed, from: Serial, to: &Arc<Edition>) -> Option<Vec<crate::publish::step::Touch>> {
    let ends = || feed.at(from).ok().map(|from| between(&from, to));
    feed.steps(from, to.serial).or_else(ends)
}

fn lost(serial: u64, feed: &Feed) -> Status {
    let kept = feed.at(Serial(u64::MAX)).err().unwrap_or_default();
    let kept: Vec<_> = kept.iter().map(ToString::to_string).collect();
    Status::not_found(format!("serial {serial} is not known of this view; kept are {}", kept.join(", ")))
}

/// One reader in the metrics.
struct Counted(Metrics);

impl Counted {
    fn new(metrics: &Metrics) -> Self {
        metrics.watch_readers.inc();
        Self(metrics.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.watch_readers.dec();
    }
}
