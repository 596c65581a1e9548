//! Agents join, live and leave; each is told what its dependencies are.
//!
//! In: heartbeats, snapshots, what probes see. Out: own agents, what they need, answers.
//! Rules: an agent that registers is answered when the snapshot knows all it needs, or after [`ANSWER_WITHIN`] as well as can be told
//! then; whatever becomes known later is a change for its next light signal. One that falls silent is forgotten when its port is
//! closed: an agent of mcp-mesh that is not well says nothing, by design, and is withdrawn by its health page.
//! Invariant: no lock is held while anything is waited for.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http::StatusCode;
use outrigger_model::digest::Digest;
use outrigger_model::name::{ReplicaId, RouteName};
use outrigger_model::requirement::Dependency;
use outrigger_model::snapshot::Snapshot;
use outrigger_model::wiring::Wiring;
use outrigger_upstream::answer::refusal;
use outrigger_upstream::heartbeat::Heartbeat;
use outrigger_upstream::needs;
use outrigger_wire::time::rfc3339;
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tracing::warn;

use super::admit::NotHere;
use super::members::Member;
use super::residents::Residents;
use super::told::Answering;
use crate::catalog::Catalog;
use crate::lifecycle::Stop;
use crate::registration::report::Status;

/// How long an agent that registers waits for what it needs to be known.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Agents that join together change what is needed once.
const COALESCED: Duration = Duration::from_millis(10);
const SWEEP: Duration = Duration::from_secs(1);

/// What agents are told by.
pub struct Told {
    /// Where the own agents reach this proxy.
    pub outbound: SocketAddr,
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// What control says of the own agents; none without control.
    pub reported: Option<watch::Receiver<Status>>,
    /// What they depend on, for whoever watches snapshots.
    pub needs: watch::Sender<Vec<Dependency>>,
}

/// The registry of the own agents.
pub struct Facade {
    told: Told,
    pub(super) catalog: Arc<Catalog>,
    pub(super) is_on: bool,
    pub(super) began: Instant,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    residents: Residents,
    /// What was known last of the routes that are needed.
    last: BTreeMap<RouteName, Wiring>,
}

impl Facade {
    pub fn new(residents: Residents, told: Told, catalog: Arc<Catalog>) -> Self {
        let is_on = residents.may_join();
        let state = Mutex::new(State { residents, last: BTreeMap::new() });
        Self { told, catalog, is_on, began: Instant::now(), state, changed: Notify::new() }
    }

    /// Tells what is needed, and forgets who is gone, until it is stopped.
    pub async fn run(self: Arc<Self>, stop: Stop) {
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.changed.notified() => {
                    sleep(COALESCED).await;
                    self.tell_needs();
                    self.keep().await;
                }
                _ = sweep.tick() => self.sweep(),
            }
        }
    }

    /// Takes an agent in, or what it says now, and answers it.
    pub(super) async fn register(&self, heartbeat: Heartbeat) -> Value {
        let (heartbeat, now) = (Arc::new(heartbeat), rfc3339(SystemTime::now()));
        let id = heartbeat.id.clone();
        match self.take_in(&heartbeat) {
            Ok((needs, is_new)) => {
                self.until_known(&needs).await;
                let mut state = self.state();
                let (answer, digest) = self.answer(&mut state, &heartbeat, is_new, &now);
                state.residents.members.tell(id.as_str(), digest);
                answer
            }
            Err(no) => {
                warn!(replica = %id, agent = %heartbeat.agent, reason = %no, "an agent may not join");
                refusal(id.as_str(), &no.to_string(), &now)
            }
        }
    }

    /// A light signal: 200, 202 where the agent would be told something else now than it was, 410 where it has to register.
    pub(super) fn pulse(&self, id: &str) -> StatusCode {
        let mut state = self.state();
        if !state.residents.members.hear(id, Instant::now()) {
            return StatusCode::GONE;
        }
        let Some(Member { heartbeat, told, .. }) = state.residents.members.get(id).cloned() else {
            return StatusCode::GONE;
        };
        let (_, digest) = self.answer(&mut state, &heartbeat, false, "");
        if told == Some(digest) { StatusCode::OK } else { StatusCode::ACCEPTED }
    }

    pub(super) fn leave(&self, id: &str) {
        let mut state = self.state();
        let Some(id) = state.residents.members.get(id).map(|member| member.heartbeat.id.clone()) else { return };
        self.forget(&mut state, &id);
    }

    fn take_in(&self, heartbeat: &Arc<Heartbeat>) -> Result<(Vec<Dependency>, bool), NotHere> {
        let taken = self.state().residents.take_in(heartbeat)?;
        self.changed.notify_one();
        Ok(taken)
    }

    /// Everything of an agent that is not a member any more.
    fn forget(&self, state: &mut State, id: &ReplicaId) {
        state.residents.forget(id);
        let needed = state.residents.needs();
        state.last.retain(|route, _| needed.iter().any(|need| need.alias == *route));
        self.changed.notify_one();
    }

    async fn until_known(&self, needs: &[Dependency]) {
        let mut snapshots = self.told.snapshots.clone();
        let knows = |snapshot: &Arc<Snapshot>| {
            let wirings = &snapshot.resources().wirings;
            needs.iter().all(|need| wirings.get(&need.alias).is_some())
        };
        // What is not known by then is told later.
        let _ = timeout(ANSWER_WITHIN, snapshots.wait_for(knows)).await;
    }

    /// What an agent is to be told, and the digest of all of it that matters.
    fn answer(&self, state: &mut State, heartbeat: &Heartbeat, is_new: bool, timestamp: &str) -> (Value, Digest) {
        if let Some(reason) = self.refused_by_control(&heartbeat.id) {
            return (refusal(heartbeat.id.as_str(), &reason, timestamp), Digest::of(reason.as_bytes()));
        }
        let snapshot = Arc::clone(&self.told.snapshots.borrow());
        for need in needs::of(&heartbeat.registration).unwrap_or_default() {
            if let Some(wiring) = snapshot.resources().wirings.get(&need.alias) {
                state.last.insert(need.alias, wiring.clone());
            }
        }
        let told = Answering { heartbeat, snapshot: &snapshot, last: &state.last, outbound: self.told.outbound };
        (told.answer(is_new, timestamp), told.digest())
    }

    fn refused_by_control(&self, id: &ReplicaId) -> Option<String> {
        let status = self.told.reported.as_ref()?.borrow();
        status.refused.iter().find(|refused| refused.replica == id.as_str()).map(|refused| refused.detail.clone())
    }

    fn tell_needs(&self) {
        let needs = self.state().residents.needs();
        self.told.needs.send_if_modified(|known| {
            let changed = *known != needs;
            if changed {
                *known = needs;
            }
            changed
        });
    }

    async fn keep(&self) {
        let unwritten = self.state().residents.unwritten();
        if let Some((kept, heartbeats)) = unwritten {
            // A panic in there is told by its thread.
            let _ = tokio::task::spawn_blocking(move || kept.write(&heartbeats)).await;
        }
    }

    fn sweep(&self) {
        let mut state = self.state();
        for id in state.residents.gone(Instant::now()) {
            warn!(replica = %id, "an agent fell silent, and nobody listens at its port; it is forgotten");
            self.forget(&mut state, &id);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
