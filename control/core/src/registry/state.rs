//! The facts and the nodes behind them, and what the smaller signals do to both.
//!
//! Invariant: after every step the state of each replica is what its node and its last report say.

use std::collections::BTreeMap;
use std::sync::Arc;

use outrigger_model::name::{NodeId, ReplicaId};
use outrigger_model::replica::ReplicaState;
use outrigger_model::tally::Tally;

use crate::event::{DETAIL_BYTES_MAX, Event, EventKind, one_line};
use crate::facts::{Facts, Standing};
use crate::lease::{Lease, LeaseRules};
use crate::moment::{Moment, Now};
use crate::revocation::Book;

use super::command::{Answer, Applied, StreamId};
use super::node::Node;

#[derive(Debug, Default)]
pub struct State {
    pub facts: Arc<Facts>,
    pub book: Arc<Book>,
    pub nodes: BTreeMap<NodeId, Node>,
    /// When time was last asked after.
    pub swept: Moment,
}

/// One command being applied.
pub struct Step<'a> {
    pub now: Now,
    pub applied: &'a mut Applied,
}

impl Step<'_> {
    pub fn note(self, kind: EventKind, subject: &str, detail: &str) {
        let mut step = self;
        step.tell(kind, subject, detail);
    }

    pub fn tell(&mut self, kind: EventKind, subject: &str, detail: &str) {
        self.applied.events.push(Event {
            id: 0, // numbered when the whole command is done
            at: self.now.time,
            kind,
            subject: one_line(subject, DETAIL_BYTES_MAX),
            detail: one_line(detail, DETAIL_BYTES_MAX),
        });
    }

    pub fn touch(&mut self, id: &ReplicaId) {
        self.applied.touched.insert(id.clone());
        self.applied.is_relevant = true;
    }
}

impl State {
    pub fn book_mut(&mut self) -> &mut Book {
        Arc::make_mut(&mut self.book)
    }

    /// The node if `stream` is the one it speaks on now.
    fn speaking(&mut self, stream: StreamId, node: &NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(node).filter(|node| node.stream == Some(stream))
    }

    pub fn light(&mut self, rules: &LeaseRules, stream: StreamId, id: &NodeId, mut step: Step<'_>) {
        match self.speaking(stream, id) {
            Some(node) if !node.lease.is_gone() => {
                let was_suspect = matches!(node.lease, Lease::Suspect { .. });
                node.lease = Lease::renewed(rules, step.now.moment);
                node.heard = Some(step.now.moment);
                if was_suspect {
                    self.settle(id, "its proxy signals again", &mut step);
                }
            }
            _ => step.applied.answer = Answer::ReportAgain,
        }
    }

    /// How the calls of a node went; what it says on a stream that it left behind does not count.
    pub fn tallied(&mut self, stream: StreamId, id: &NodeId, tally: Option<Tally>) {
        if let (Some(node), Some(tally)) = (self.speaking(stream, id), tally) {
            node.tally = Some(tally);
        }
    }

    pub fn stream_lost(&mut self, stream: StreamId, id: &NodeId, mut step: Step<'_>) {
        if let Some(node) = self.speaking(stream, id) {
            node.stream = None;
            node.lease = node.lease.suspected();
            self.settle(id, "the stream of its proxy broke", &mut step);
        }
    }

    pub fn draining(&mut self, rules: &LeaseRules, stream: StreamId, id: &NodeId, mut step: Step<'_>) {
        match self.speaking(stream, id) {
            Some(node) if !node.lease.is_gone() => {
                node.lease = Lease::renewed(rules, step.now.moment);
                node.heard = Some(step.now.moment);
                node.is_draining = true;
                self.settle(id, "its proxy is shutting down", &mut step);
            }
            _ => step.applied.answer = Answer::ReportAgain,
        }
    }

    pub fn leave(&mut self, stream: StreamId, id: &NodeId, mut step: Step<'_>) {
        if self.speaking(stream, id).is_none() {
            return;
        }
        if let Some(node) = self.nodes.remove(id) {
            for replica in &node.replicas {
                self.withdraw(replica, EventKind::ReplicaLeft, "its proxy left", &mut step);
            }
        }
    }

    /// Gives every replica of a node the state that follows from the node. `why` goes into the events.
    pub fn settle(&mut self, id: &NodeId, why: &str, step: &mut Step<'_>) {
        let Some(node) = self.nodes.get(id) else { return };
        for replica in &node.replicas {
            let Some(standing) = self.facts.get(replica) else { continue };
            let state = node.state_of(standing.is_callable());
            if state == standing.state {
                continue;
            }
            let standing = Standing { state, ..standing.clone() };
            step.tell(event_of(state), replica.as_str(), why);
            step.touch(replica);
            Arc::make_mut(&mut self.facts).put(standing);
        }
    }

    /// Drops a replica from the facts; the node that held it is the caller's to update.
    pub fn withdraw(&mut self, id: &ReplicaId, kind: EventKind, why: &str, step: &mut Step<'_>) {
        if Arc::make_mut(&mut self.facts).remove(id).is_some() {
            step.tell(kind, id.as_str(), why);
            step.touch(id);
        }
    }
}

/// What it is called when a node pulls its replicas into a state.
fn event_of(state: ReplicaState) -> EventKind {
    match state {
        ReplicaState::Healthy => EventKind::ReplicaRecovered,
        ReplicaState::Unknown => EventKind::ReplicaLost,
        ReplicaState::Draining => EventKind::DrainStarted,
        ReplicaState::Unhealthy => EventKind::ReplicaExpired,
    }
}
