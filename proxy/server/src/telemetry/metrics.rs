//! Every metric of the proxy, as fields of one struct.
//!
//! In: the registry to register in. Out: [`Metrics`], updated only through `events`.
//! Invariant: names start with `outrigger_`; counters end in `_total`, which the encoder appends.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::histogram::Durations;
use super::labels::{
    AgentLabels, AnnouncementLabels, BuildLabels, CallLabels, CircuitLabels, CopyLabels, DirectionLabels, FaultLabels,
    FrameLabels, HedgeLabels, InjectedLabels, InvalidationLabels, LimitLabels, LookupLabels, MoveLabels,
    PressureLabels, QueueLabels, RateLabels, ReasonLabels, RouteLabels, SearchLabels, StoreLabels,
};
use super::probed::ProbeLabels;

/// Shared by its clones.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Calls, counted once when they end; retries are not calls.
    pub calls: Family<CallLabels, Counter>,
    /// From the read head of a call to the last byte of its answer.
    pub call_duration: Family<RouteLabels, Durations>,
    /// From the read head of a call to the first byte of its answer.
    pub first_byte: Family<RouteLabels, Durations>,
    /// Calls that have begun and not ended; open event streams among them.
    pub calls_in_flight: Family<DirectionLabels, Gauge>,
    /// Tries to send a call to an endpoint, the first included.
    pub attempts: Family<DirectionLabels, Counter>,
    /// Attempts that followed a failed one of the same call, by why that one failed.
    pub retries: Family<ReasonLabels, Counter>,
    /// Calls that were not sent again because the budget of their pool was spent.
    pub retry_budget_exhausted: Counter,
    /// Calls that were sent to a second endpoint because the first was slow, by what became of that.
    pub hedges: Family<HedgeLabels, Counter>,
    /// Calls that we answered ourselves, by the `reason` in the answer.
    pub refusals: Family<ReasonLabels, Counter>,
    /// Copies of calls for mirrors, by what became of them.
    pub copies: Family<CopyLabels, Counter>,
    /// Calls that failed or waited on purpose.
    pub faults: Family<InjectedLabels, Counter>,
    /// Calls that a limit refused, by what the limit is per and how it counts.
    pub rate_limited: Family<RateLabels, Counter>,
    /// Calls of callers and tools for which there was no account of their own, as too many have one.
    pub rate_accounts_shared: Counter,
    /// Calls of quotas that were counted by this proxy alone because the shared store did not answer.
    pub quotas_counted_alone: Counter,
    /// How much is used of what may be, in percent.
    pub pressure: Family<PressureLabels, Gauge>,
    /// Session bindings now held.
    pub sessions: Family<StoreLabels, Gauge>,
    /// Look-ups of session keys, by where they were found.
    pub session_lookups: Family<LookupLabels, Counter>,
    /// Uses of sessions that were refused, by why.
    pub session_refusals: Family<ReasonLabels, Counter>,
    /// Sessions that were not opened, by the limit that was reached.
    pub sessions_limited: Family<LimitLabels, Counter>,
    /// Calls of sessions that no store knew, by what asking the replicas told.
    pub session_searches: Family<SearchLabels, Counter>,
    /// Sessions whose replica was gone and that may be opened again, by what became of them.
    pub session_moves: Family<MoveLabels, Counter>,
    /// Sessions that are not opened again elsewhere from now on, because the agent keeps something of the client.
    pub sessions_pinned: Counter,
    /// Requests to Redis that came to nothing, by why.
    pub redis_errors: Family<FaultLabels, Counter>,
    /// 1 while Redis answers.
    pub redis_connected: Gauge,
    /// 1 while the proxy hears what others move and forget in Redis.
    pub redis_listening: Gauge,
    /// Bindings that were offered to Redis again after it had been away, empty or behind.
    pub sessions_written_back: Counter,
    /// Bindings held here that another proxy moved or forgot.
    pub session_invalidations: Family<InvalidationLabels, Counter>,
    /// Sealed session ids that were not followed, by why.
    pub sealed_ids_refused: Family<ReasonLabels, Counter>,
    /// Sessions whose client got the agent's own id although the mesh seals.
    pub sessions_not_sealed: Counter,
    /// Endpoints put aside after a failed connection.
    pub ejections: Counter,
    /// Picks made among ejected endpoints because no other was left.
    pub panic_picks: Counter,
    /// Times that the circuit of an endpoint opened or closed.
    pub circuit_changes: Family<CircuitLabels, Counter>,
    /// Tools put aside at an endpoint, because they failed there in a row.
    pub tools_put_aside: Counter,
    /// Calls that wait for room, where the number of calls is limited.
    pub calls_waiting: Gauge,
    /// Calls that found no room, by what became of them.
    pub calls_waited: Family<QueueLabels, Counter>,
    /// URIs that servers of 2024-11-05 announced for messages, by what was done with them.
    pub announcements: Family<AnnouncementLabels, Counter>,
    /// Connections of HTTP/2 that were ended for a flood, by the frames that it was made of.
    pub http2_floods: Family<FrameLabels, Counter>,
    /// Serial of the snapshot in use; 0 is none.
    pub snapshot_serial: Gauge<u64, AtomicU64>,
    /// When the snapshot in use was made, in seconds of Unix time; 0 is never.
    pub snapshot_made_at: Gauge<u64, AtomicU64>,
    /// How old the snapshot in use is; set when it is read.
    snapshot_age: Gauge<u64, AtomicU64>,
    /// Snapshots that were not applied.
    pub snapshots_rejected: Counter,
    /// 1 while the stream of snapshots from control is open.
    pub control_connected: Gauge,
    /// 1 while the probe of a local agent succeeds.
    pub agent_up: Family<AgentLabels, Gauge>,
    /// Looks at local agents, by what they found.
    pub agent_probes: Family<ProbeLabels, Counter>,
    /// Agents behind the aggregated endpoint.
    pub catalog_targets: Gauge,
    /// Those whose lists are missing or stale because they do not answer.
    pub catalog_targets_stale: Gauge,
    /// Times that the lists of an agent were read.
    pub catalog_refreshes: Counter,
    /// Times that they could not be read.
    pub catalog_refresh_failures: Counter,
    /// Sessions that callers hold at the aggregated endpoint.
    pub catalog_sessions: Gauge,
    /// Requests of agents to a client that could not be passed on and were answered with an error.
    pub catalog_requests_refused: Counter,
    /// Messages of agents that no stream of a client took in time.
    pub catalog_messages_dropped: Counter,
    build_info: Family<BuildLabels, Gauge>,
}

impl Metrics {
    /// Registers all metrics under `outrigger_` in `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        metrics.build_info.get_or_create(&BuildLabels { version: env!("CARGO_PKG_VERSION") }).set(1);
        let registry = registry.sub_registry_with_prefix("outrigger");
        metrics.register_calls(registry);
        metrics.register_limits(registry);
        metrics.register_places(registry);
        metrics.register_sessions(registry);
        metrics.register_snapshot(registry);
        metrics.register_catalog(registry);
        metrics
    }

    fn register_calls(&self, registry: &mut Registry) {
        registry.register("calls", "Calls that ended", self.calls.clone());
        let help = "From the head of a call to the last byte of its answer";
        registry.register_with_unit("call_duration", help, Unit::Seconds, self.call_duration.clone());
        let help = "From the head of a call to the first byte of its answer";
        registry.register_with_unit("call_first_byte", help, Unit::Seconds, self.first_byte.clone());
        registry.register("calls_in_flight", "Calls that have begun and not ended", self.calls_in_flight.clone());
        registry.register("attempts", "Tries to send a call to an endpoint", self.attempts.clone());
        registry.register("retries", "Attempts after a failed one of the same call", self.retries.clone());
        let help = "Calls not sent again because the budget of their pool was spent";
        registry.register("retry_budget_exhausted", help, self.retry_budget_exhausted.clone());
        registry.register("hedges", "Calls sent to a second endpoint by what became of that", self.hedges.clone());
        registry.register("refusals", "Calls answered by the proxy itself", self.refusals.clone());
        registry.register("copies", "Copies of calls for mirrors by what became of them", self.copies.clone());
        registry.register("faults_injected", "Calls that failed or waited on purpose", self.faults.clone());
        registry.register("http2_floods", "Connections ended for a flood of HTTP/2 frames", self.http2_floods.clone());
    }

    fn register_places(&self, registry: &mut Registry) {
        registry.register("ejections", "Endpoints put aside after a failed connection", self.ejections.clone());
        let help = "Picks among ejected endpoints as no other was left";
        registry.register("panic_picks", help, self.panic_picks.clone());
        let help = "Times that the circuit of an endpoint opened or closed";
        registry.register("circuit_changes", help, self.circuit_changes.clone());
        registry.register("tools_put_aside", "Tools put aside at an endpoint", self.tools_put_aside.clone());
        registry.register("calls_waiting", "Calls that wait for room", self.calls_waiting.clone());
        registry.register("calls_waited", "Calls that found no room at first", self.calls_waited.clone());
    }

    fn register_limits(&self, registry: &mut Registry) {
        registry.register("rate_limited", "Calls refused by a limit on how often", self.rate_limited.clone());
        let help = "Calls counted together because too many are counted one by one";
        registry.register("rate_accounts_shared", help, self.rate_accounts_shared.clone());
        let help = "Calls of shared quotas counted by this proxy alone";
        registry.register("quotas_counted_alone", help, self.quotas_counted_alone.clone());
        registry.register("pressure_percent", "How much is used of what may be", self.pressure.clone());
    }

    fn register_sessions(&self, registry: &mut Registry) {
        registry.register("sessions", "Session bindings held", self.sessions.clone());
        registry.register("session_lookups", "Look-ups of session keys by result", self.session_lookups.clone());
        let help = "Uses of sessions that were refused by reason";
        registry.register("session_refusals", help, self.session_refusals.clone());
        let help = "Sessions not opened by the limit that was reached";
        registry.register("sessions_limited", help, self.sessions_limited.clone());
        let help = "Calls of sessions that no store knew by what asking the replicas told";
        registry.register("session_searches", help, self.session_searches.clone());
        let help = "Sessions to be opened again on another replica by what became of them";
        registry.register("session_moves", help, self.session_moves.clone());
        let help = "Sessions that may not be opened again any more";
        registry.register("sessions_pinned", help, self.sessions_pinned.clone());
        let help = "Sealed session ids that were not followed";
        registry.register("sealed_ids_refused", help, self.sealed_ids_refused.clone());
        let help = "Sessions whose client got the id of the agent although the mesh seals";
        registry.register("sessions_not_sealed", help, self.sessions_not_sealed.clone());
        let help = "URIs announced for messages (2024-11-05) by what was done with them";
        registry.register("announcements", help, self.announcements.clone());
        registry.register("redis_errors", "Requests to Redis that came to nothing, by why", self.redis_errors.clone());
        registry.register("redis_connected", "1 while Redis answers", self.redis_connected.clone());
        let help = "1 while the moves of other proxies are heard through Redis";
        registry.register("redis_listening", help, self.redis_listening.clone());
        let help = "Bindings offered to Redis again after it had been away";
        registry.register("sessions_written_back", help, self.sessions_written_back.clone());
        let help = "Bindings held here that another proxy moved or forgot";
        registry.register("session_invalidations", help, self.session_invalidations.clone());
    }

    fn register_catalog(&self, registry: &mut Registry) {
        registry.register("catalog_targets", "Agents behind the aggregated endpoint", self.catalog_targets.clone());
        let help = "Agents whose lists are missing or stale";
        registry.register("catalog_targets_stale", help, self.catalog_targets_stale.clone());
        registry.register("catalog_refreshes", "Times the lists of an agent were read", self.catalog_refreshes.clone());
        let help = "Times the lists of an agent could not be read";
        registry.register("catalog_refresh_failures", help, self.catalog_refresh_failures.clone());
        let help = "Sessions of callers at the aggregated endpoint";
        registry.register("catalog_sessions", help, self.catalog_sessions.clone());
        let help = "Requests of agents to clients that could not be passed on";
        registry.register("catalog_requests_refused", help, self.catalog_requests_refused.clone());
        let help = "Messages of agents that no stream of a client took";
        registry.register("catalog_messages_dropped", help, self.catalog_messages_dropped.clone());
    }

    fn register_snapshot(&self, registry: &mut Registry) {
        registry.register("snapshot_serial", "Serial of the snapshot in use", self.snapshot_serial.clone());
        let help = "Age of the snapshot in use";
        registry.register_with_unit("snapshot_age", help, Unit::Seconds, self.snapshot_age.clone());
        registry.register("snapshots_rejected", "Snapshots that were not applied", self.snapshots_rejected.clone());
        registry.register(
            "control_connected",
            "1 while the stream from control is open",
            self.control_connected.clone(),
        );
        registry.register("agent_up", "1 while the probe of a local agent succeeds", self.agent_up.clone());
        registry.register("agent_probes", "Looks at local agents by what they found", self.agent_probes.clone());
        registry.register("build_info", "Version of this build", self.build_info.clone());
    }

    /// Brings what depends on the time up to date; called before every scrape.
    pub fn refresh(&self, now: SystemTime) {
        let made_at = self.snapshot_made_at.get();
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        self.snapshot_age.set(if made_at == 0 { 0 } else { now.saturating_sub(made_at) });
    }
}
