//! All metrics of control, in one struct that is registered once.
//!
//! Invariant: labels are closed lists; no name that a peer chose is one.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TopicLabel {
    /// A resource type, or `Manifest`.
    pub topic: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabel {
    pub reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateLabel {
    pub state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct GroupLabel {
    /// `canary` or `control`.
    pub group: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct EndLabel {
    /// `promoted` or `aborted`.
    pub end: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Signal {
    Report,
    Light,
    Draining,
    Leave,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SignalLabel {
    pub signal: Signal,
}

/// Clones share the counts.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Discovery streams that are open.
    pub discovery_streams: Gauge,
    /// Open discovery streams whose client has not answered for 30 s.
    pub discovery_lagging: Gauge,
    /// Answers written, once per answer, however many frames it took.
    pub discovery_answers: Family<TopicLabel, Counter>,
    /// Bytes of responses handed to streams.
    pub discovery_bytes: Counter,
    /// Answers that clients refused.
    pub discovery_refusals: Family<TopicLabel, Counter>,
    /// Discovery streams that control did not take, or ended.
    pub discovery_ended: Family<ReasonLabel, Counter>,
    /// Readers of changes that are connected, over HTTP and gRPC.
    pub watch_readers: Gauge,
    /// Report streams that are open.
    pub registration_streams: Gauge,
    /// Signals taken from proxies.
    pub registration_signals: Family<SignalLabel, Counter>,
    /// Replicas of reports that were not taken.
    pub registration_refused: Family<ReasonLabel, Counter>,
    /// Replicas by state.
    pub replicas: Family<StateLabel, Gauge>,
    /// Editions published, over all views.
    pub publish_editions: Counter,
    /// Snapshots that could not be built; the last good one stayed.
    pub publish_failures: Counter,
    /// The serial of the base view.
    pub publish_serial: Gauge,
    /// Views that somebody watches, and the base view.
    pub publish_views: Gauge,
    /// From a new picture to all views published.
    pub publish_seconds: Histogram,
    /// 1 while the store does not take what is written, or, at a follower, does not answer.
    pub store_failing: Gauge,
    /// The step of the rollout that is under way, from 1; 0 is none.
    pub rollout_step: Gauge,
    /// Connected proxies of either group of the rollout.
    pub rollout_proxies: Family<GroupLabel, Gauge>,
    /// Failed calls among all since the step began, 0 to 1.
    pub rollout_failing: Family<GroupLabel, Gauge<f64, AtomicU64>>,
    /// Rollouts that ended.
    pub rollouts_ended: Family<EndLabel, Counter>,
    /// For how long it has not.
    pub store_lag_seconds: Gauge,
    /// 1 while this control leads; one that is alone always does.
    pub leading: Gauge,
    /// The term in which it leads; 0 while it follows, or is alone.
    pub term: Gauge,
}

impl Metrics {
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::new();
        let room = registry.sub_registry_with_prefix("outrigger");
        metrics.register_discovery(room);
        room.register("watch_readers", "Connected readers of changes", metrics.watch_readers.clone());
        room.register("registration_streams", "Open report streams", metrics.registration_streams.clone());
        room.register("registration_signals", "Signals taken from proxies", metrics.registration_signals.clone());
        room.register("registration_refused", "Replicas not taken", metrics.registration_refused.clone());
        room.register("replicas", "Replicas by state", metrics.replicas.clone());
        room.register("publish_editions", "Editions published", metrics.publish_editions.clone());
        room.register("publish_failures", "Snapshots that could not be built", metrics.publish_failures.clone());
        room.register("publish_serial", "Serial of the base view", metrics.publish_serial.clone());
        room.register("publish_views", "Views that are kept", metrics.publish_views.clone());
        room.register("publish_seconds", "From a new picture to all views", metrics.publish_seconds.clone());
        room.register("store_failing", "1 while the store takes nothing", metrics.store_failing.clone());
        metrics.register_rollouts(room);
        room.register("store_lag_seconds", "For how long the store has not", metrics.store_lag_seconds.clone());
        room.register("leading", "1 while this control leads", metrics.leading.clone());
        room.register("term", "The term in which it leads", metrics.term.clone());
        metrics
    }

    fn register_rollouts(&self, room: &mut Registry) {
        room.register("rollout_step", "Step of the rollout under way; 0 is none", self.rollout_step.clone());
        room.register("rollout_proxies", "Proxies of either group of a rollout", self.rollout_proxies.clone());
        room.register("rollout_failing", "Failed calls among all of a step", self.rollout_failing.clone());
        room.register("rollouts_ended", "Rollouts that ended", self.rollouts_ended.clone());
    }

    fn register_discovery(&self, room: &mut Registry) {
        room.register("discovery_streams", "Open discovery streams", self.discovery_streams.clone());
        room.register("discovery_lagging", "Streams without an answer for 30 s", self.discovery_lagging.clone());
        room.register("discovery_answers", "Answers written", self.discovery_answers.clone());
        room.register("discovery_bytes", "Bytes of responses", self.discovery_bytes.clone());
        room.register("discovery_refusals", "Answers that clients refused", self.discovery_refusals.clone());
        room.register("discovery_ended", "Streams not taken, or ended by control", self.discovery_ended.clone());
    }

    fn new() -> Self {
        Self {
            discovery_streams: Gauge::default(),
            discovery_lagging: Gauge::default(),
            discovery_answers: Family::default(),
            discovery_bytes: Counter::default(),
            discovery_refusals: Family::default(),
            discovery_ended: Family::default(),
            watch_readers: Gauge::default(),
            registration_streams: Gauge::default(),
            registration_signals: Family::default(),
            registration_refused: Family::default(),
            replicas: Family::default(),
            publish_editions: Counter::default(),
            publish_failures: Counter::default(),
            publish_serial: Gauge::default(),
            publish_views: Gauge::default(),
            publish_seconds: Histogram::new([0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0]),
            store_failing: Gauge::default(),
            rollout_step: Gauge::default(),
            rollout_proxies: Family::default(),
            rollout_failing: Family::default(),
            rollouts_ended: Family::default(),
            store_lag_seconds: Gauge::default(),
            leading: Gauge::default(),
            term: Gauge::default(),
        }
    }
}
