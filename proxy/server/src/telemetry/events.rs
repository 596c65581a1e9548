//! What happened, told once; each event updates counters and writes its line.
//!
//! In: events from the gateway, the session store, probes and the snapshot's join. Out: nothing to act on.
//! Never here: decisions.
//! Invariant: a line per call is at debug; what a human must act on is at warn or above.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use outrigger_model::tally::Tally;
use outrigger_proxy_core::health::circuit::Turn;
use outrigger_proxy_core::session::ticket::Unfit;
use outrigger_proxy_core::target;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tracing::{debug, info, warn};

use super::labels::{
    AgentLabels, AnnouncementLabels, CircuitLabels, CopyLabels, DirectionLabels, FaultLabels, FrameLabels, HedgeLabels,
    InjectedLabels, InvalidationLabels, LimitLabels, LookupLabels, MoveLabels, PressureLabels, QueueLabels, RateLabels,
    ReasonLabels, SearchLabels, StoreLabels,
};
use super::metrics::Metrics;
use super::probed::{ProbeLabels, Probed};
use super::report::{CallReport, OpenCall, RefusedUse};
use super::routes::RouteTable;
use super::tally::{self, is_failure};
use super::values::{
    Announcement, CallEnd, Copied, Direction, Hedged, Invalidation, Lookup, Moved, Queued, Searched, StoreFault,
    StoreKind,
};

/// Where lines for auditors go; `log.filter` can name it.
const AUDIT: &str = "audit";

/// The one way to count. Built once per proxy and shared behind an `Arc`.
pub struct Events {
    metrics: Metrics,
    outbound: Side,
    inbound: Side,
    found: [(Lookup, Counter); 4],
    /// When counting began, in milliseconds since 1970.
    since: u64,
}

/// What is counted per direction.
struct Side {
    routes: RouteTable,
    in_flight: Gauge,
    attempts: Counter,
    /// Calls that failed, whatever their route.
    failed: AtomicU64,
}

impl Side {
    fn new(metrics: &Metrics, direction: Direction) -> Self {
        let labels = DirectionLabels { direction };
        Self {
            routes: RouteTable::new(metrics, direction),
            in_flight: metrics.calls_in_flight.get_or_create_owned(&labels),
            attempts: metrics.attempts.get_or_create_owned(&labels),
            failed: AtomicU64::new(0),
        }
    }
}

impl Events {
    pub fn new(metrics: Metrics) -> Self {
        let found = [Lookup::Memory, Lookup::Shared, Lookup::Unknown, Lookup::TimedOut]
            .map(|result| (result, metrics.session_lookups.get_or_create_owned(&LookupLabels { result })));
        Self {
            outbound: Side::new(&metrics, Direction::Outbound),
            inbound: Side::new(&metrics, Direction::Inbound),
            found,
            since: tally::began(),
            metrics,
        }
    }

    fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Outbound => &self.outbound,
            Direction::Inbound => &self.inbound,
        }
    }

    /// The head of a call was read.
    pub fn call_started(&self, direction: Direction) -> OpenCall {
        let gauge = self.side(direction).in_flight.clone();
        gauge.inc();
        OpenCall(gauge)
    }

    /// Calls that have begun and not ended, in both directions.
    pub fn in_flight(&self) -> u64 {
        u64::try_from(self.outbound.in_flight.get().saturating_add(self.inbound.in_flight.get())).unwrap_or_default()
    }

    /// How the calls of the own agents to others went since the start.
    pub fn tally(&self) -> Tally {
        tally::of(&self.outbound.routes, self.since, self.outbound.failed.load(Ordering::Relaxed))
    }

    /// A limit on how often refused a call.
    pub fn rate_limited(&self, per: &'static str, kind: &'static str) {
        self.metrics.rate_limited.get_or_create(&RateLabels { per, kind }).inc();
    }

    pub fn rate_accounts_shared(&self, calls: u64) {
        self.metrics.rate_accounts_shared.inc_by(calls);
    }

    /// The shared store could not say whether a quota has room. The store says in the log when this begins.
    pub fn quota_counted_alone(&self) {
        self.metrics.quotas_counted_alone.inc();
    }

    /// So much is used of what may be; in thousandths.
    pub fn pressure(&self, resource: &'static str, level: u32) {
        self.metrics.pressure.get_or_create(&PressureLabels { resource }).set(i64::from(level / 10));
    }

    /// The last byte of a call was written, or its caller is gone.
    pub fn call_finished(&self, call: &CallReport<'_>) {
        let side = self.side(call.direction);
        side.attempts.inc_by(u64::from(call.attempts));
        if is_failure(call.end, call.status) {
            side.failed.fetch_add(1, Ordering::Relaxed);
        }
        side.routes.with(call.route, |meters| {
            meters.count(&self.metrics, call.end, call.status);
            meters.duration.observe(call.took);
            if let Some(first_byte) = call.first_byte {
                meters.first_byte.observe(first_byte);
            }
        });
        let reason = match call.end {
            CallEnd::Refused(reason) => Some(reason),
            _ => None,
        };
        if let Some(reason) = reason {
            self.metrics.refusals.get_or_create(&ReasonLabels { reason }).inc();
        }
        debug!(
            direction = call.direction.as_str(),
            route = call.route,
            function = call.path.and_then(target::function),
            method = call.method,
            replica = call.replica,
            outcome = call.end.as_str(),
            reason,
            status = call.status,
            attempts = call.attempts,
            tried = call.trail,
            took_us = call.took.as_micros() as u64,
            serial = call.serial,
            "call finished"
        );
    }

    /// An attempt failed in a way that allows another one, which follows now.
    pub fn call_retried(&self, reason: &'static str) {
        self.metrics.retries.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// A call was copied for a mirror, or would have been.
    pub fn call_copied(&self, result: Copied) {
        self.metrics.copies.get_or_create(&CopyLabels { result }).inc();
    }

    /// A call waits because the operator wants it.
    pub fn delay_injected(&self) {
        self.metrics.faults.get_or_create(&InjectedLabels { kind: "delay" }).inc();
    }

    /// A call is refused because the operator wants it.
    pub fn refusal_injected(&self) {
        self.metrics.faults.get_or_create(&InjectedLabels { kind: "refusal" }).inc();
    }

    /// A call that could be sent again was not, because its pool had enough of that.
    pub fn retry_budget_spent(&self) {
        self.metrics.retry_budget_exhausted.inc();
    }

    /// A slow call was sent to a second endpoint as well.
    pub fn call_hedged(&self, result: Hedged) {
        self.metrics.hedges.get_or_create(&HedgeLabels { result }).inc();
    }

    /// A connection of HTTP/2 is ended because it sent too many of these frames.
    pub fn caller_flooded(&self, direction: Direction, frame: &'static str) {
        self.metrics.http2_floods.get_or_create(&FrameLabels { frame }).inc();
        debug!(direction = direction.as_str(), frame, "a connection was ended for a flood of frames");
    }

    /// An endpoint is put aside for `pause` after a failed connection.
    pub fn endpoint_ejected(&self, replica: &str, pause: Duration) {
        self.metrics.ejections.inc();
        warn!(replica, pause_ms = pause.as_millis() as u64, "endpoint ejected after a failed connection");
    }

    /// The circuit of an endpoint opened or closed.
    pub fn circuit_turned(&self, replica: &str, turn: Turn) {
        let to = match turn {
            Turn::Opened => "open",
            Turn::Closed => "closed",
        };
        self.metrics.circuit_changes.get_or_create(&CircuitLabels { to }).inc();
        match turn {
            Turn::Opened => warn!(replica, "circuit opened after bad answers in a row"),
            Turn::Closed => info!(replica, "circuit closed"),
        }
    }

    /// A tool failed so often in a row that its calls avoid the endpoint for a while.
    pub fn tool_put_aside(&self, replica: &str) {
        self.metrics.tools_put_aside.inc();
        warn!(replica, "a tool is put aside at an endpoint after failures in a row");
    }

    /// A call waits for room until the guard is dropped.
    pub fn call_waits(&self) -> OpenCall {
        let gauge = self.metrics.calls_waiting.clone();
        gauge.inc();
        OpenCall(gauge)
    }

    /// What became of a call that found no room.
    pub fn call_queued(&self, result: Queued) {
        self.metrics.calls_waited.get_or_create(&QueueLabels { result }).inc();
    }

    /// All endpoints of a pool are ejected, and one of them was taken anyway.
    pub fn picked_in_panic(&self) {
        self.metrics.panic_picks.inc();
    }

    pub fn session_looked_up(&self, result: Lookup) {
        if let Some((_, counter)) = self.found.iter().find(|(kind, _)| *kind == result) {
            counter.inc();
        }
    }

    /// Somebody used a session that is not its own, or is over. One line for auditors, whatever else is logged.
    pub fn session_refused(&self, refused: &RefusedUse<'_>) {
        let RefusedUse { direction, caller, agent, session, decision } = refused;
        self.metrics.session_refusals.get_or_create(&ReasonLabels { reason: decision }).inc();
        info!(
            target: AUDIT,
            direction = direction.as_str(),
            caller,
            agent,
            session = %session,
            decision,
            "use of a session refused"
        );
    }

    /// A session was not opened because as many are open as may be.
    pub fn session_limited(&self, limit: &'static str) {
        self.metrics.sessions_limited.get_or_create(&LimitLabels { limit }).inc();
    }

    /// A call of a session that no store knew was answered, by one replica or by all.
    pub fn session_searched(&self, result: Searched) {
        self.metrics.session_searches.get_or_create(&SearchLabels { result }).inc();
    }

    pub fn session_moved(&self, result: Moved) {
        self.metrics.session_moves.get_or_create(&MoveLabels { result }).inc();
    }

    /// The record of a session that was opened again; its state on `from` is lost.
    pub fn session_reestablished(&self, caller: &str, agent: &str, from: &str, to: &str) {
        self.session_moved(Moved::Reestablished);
        info!(target: AUDIT, caller, agent, from, to, "session re-established");
    }

    /// The session may not be opened again elsewhere any more.
    pub fn session_pinned(&self) {
        self.metrics.sessions_pinned.inc();
    }

    /// The first event of a stream told where messages go.
    pub fn endpoint_announced(&self, replica: &str, result: Announcement) {
        self.metrics.announcements.get_or_create(&AnnouncementLabels { result }).inc();
        if result == Announcement::Foreign {
            warn!(replica, "an agent announced a URI that is not its own; it passes as it is");
        }
    }

    /// How many bindings a store holds now.
    pub fn sessions_held(&self, store: StoreKind, count: usize) {
        self.metrics.sessions.get_or_create(&StoreLabels { store }).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// A request to Redis came to nothing; memory decided alone. The store says in the log when this begins.
    pub fn redis_failed(&self, kind: StoreFault) {
        self.metrics.redis_errors.get_or_create(&FaultLabels { kind }).inc();
    }

    pub fn redis_connected(&self, connected: bool) {
        self.metrics.redis_connected.set(i64::from(connected));
    }

    pub fn redis_listening(&self, listening: bool) {
        self.metrics.redis_listening.set(i64::from(listening));
    }

    pub fn sessions_written_back(&self, count: usize) {
        self.metrics.sessions_written_back.inc_by(count as u64);
    }

    /// Another proxy moved or forgot a binding that is held here.
    pub fn session_invalidated(&self, reason: Invalidation) {
        self.metrics.session_invalidations.get_or_create(&InvalidationLabels { reason }).inc();
    }

    /// An id of the mesh's own form is not followed; its caller is told that the session is gone.
    pub fn sealed_id_refused(&self, unfit: Unfit) {
        let reason = unfit.label();
        self.metrics.sealed_ids_refused.get_or_create(&ReasonLabels { reason }).inc();
        debug!(reason, "a session id was refused");
    }

    /// The mesh seals session ids, and that of this session is too long for it.
    pub fn session_not_sealed(&self, agent: &str) {
        self.metrics.sessions_not_sealed.inc();
        debug!(agent, "a session id could not be sealed; the client has that of the agent");
    }

    pub fn catalog_viewed(&self, targets: usize, stale: usize) {
        self.metrics.catalog_targets.set(i64::try_from(targets).unwrap_or(i64::MAX));
        self.metrics.catalog_targets_stale.set(i64::try_from(stale).unwrap_or(i64::MAX));
    }

    pub fn catalog_refreshed(&self, read: bool) {
        if read {
            self.metrics.catalog_refreshes.inc();
        } else {
            self.metrics.catalog_refresh_failures.inc();
        }
    }

    pub fn catalog_sessions_held(&self, count: usize) {
        self.metrics.catalog_sessions.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub fn catalog_request_refused(&self) {
        self.metrics.catalog_requests_refused.inc();
    }

    pub fn catalog_message_dropped(&self) {
        self.metrics.catalog_messages_dropped.inc();
    }

    pub fn snapshot_applied(&self, serial: u64, made_at: SystemTime, reason: &str) {
        self.metrics.snapshot_serial.set(serial);
        let seconds = made_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        self.metrics.snapshot_made_at.set(seconds);
        info!(serial, reason, "snapshot applied");
    }

    pub fn snapshot_refused(&self, serial: u64, detail: &str) {
        self.metrics.snapshots_rejected.inc();
        warn!(serial, detail, "snapshot refused; the last good one stays in use");
    }

    pub fn control_connected(&self, connected: bool) {
        let before = self.metrics.control_connected.set(i64::from(connected));
        match (before == 1, connected) {
            (false, true) => info!("connected to control"),
            (true, false) => warn!("lost control; calls go on with the snapshot in use"),
            _ => {}
        }
    }

    /// Once for each look at a local agent.
    pub fn agent_looked_at(&self, agent: &str, replica: &str, result: Probed) {
        let labels = ProbeLabels { agent: agent.to_owned(), replica: replica.to_owned(), result };
        self.metrics.agent_probes.get_or_create(&labels).inc();
    }

    /// Nothing more is told of an agent that is not behind this proxy any more.
    pub fn agent_left(&self, agent: &str, replica: &str) {
        let (agent, replica) = (agent.to_owned(), replica.to_owned());
        for result in Probed::ALL {
            let labels = ProbeLabels { agent: agent.clone(), replica: replica.clone(), result };
            self.metrics.agent_probes.remove(&labels);
        }
        self.metrics.agent_up.remove(&AgentLabels { agent, replica });
    }

    pub fn agent_probed(&self, agent: &str, replica: &str, up: bool) {
        let labels = AgentLabels { agent: agent.to_owned(), replica: replica.to_owned() };
        self.metrics.agent_up.get_or_create(&labels).set(i64::from(up));
    }
}
