//! The one writer of facts: takes commands one after the other and says what each changed.
//!
//! In: a [`Command`] and `now`. Out: [`Applied`]: the answer to its sender, what to store, what to tell.
//! Never here: the store, streams, a clock.
//! Invariant: a replica belongs to one node; nothing that one node says changes a replica of another that is alive.

mod command;
mod node;
mod state;
mod report;
mod guard;
mod revoke;
mod sweep;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use outrigger_model::name::NodeId;
use outrigger_model::tally::Tally;

use crate::facts::{Facts, Standing};
use crate::lease::Lease;
use crate::moment::Now;
use crate::revocation::Book;

pub use command::{Answer, Applied, Command, Rules, StreamId};

use guard::Guard;
use node::Node;
use state::State;

/// All facts, and what is needed to change them.
#[derive(Debug)]
pub struct Registry {
    rules: Rules,
    state: State,
    guard: Guard,
    next_event: u64,
}

impl Registry {
    /// Starts from what a store held. Nobody's lease ends before all had time to come back.
    pub fn restore(rules: Rules, standings: Vec<Standing>, book: Book, next_event: u64, now: Now) -> Self {
        let mut state = State { book: Arc::new(book), ..State::default() };
        for standing in standings {
            let lease = Lease::found(&rules.lease, now.moment);
            let replica = &standing.replica;
            let node = state.nodes.entry(replica.node.clone()).or_insert_with(|| Node::found(lease));
            node.found_replica(&standing);
            Arc::make_mut(&mut state.facts).put(standing);
        }
        Self { rules, state, guard: Guard::default(), next_event }
    }

    pub fn facts(&self) -> &Arc<Facts> {
        &self.state.facts
    }

    /// What operators revoked.
    pub fn book(&self) -> &Arc<Book> {
        &self.state.book
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What it goes by from the next command on. Leases that run are not cut short.
    pub fn go_by(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Nodes that are connected or whose lease runs.
    pub fn nodes_alive(&self) -> usize {
        self.state.nodes.values().filter(|node| !node.lease.is_gone()).count()
    }

    /// Whether leases that ended are being kept because too many ended at once.
    pub fn is_holding(&self) -> bool {
        self.guard.is_holding()
    }

    /// How long ago each node was last heard, since control started.
    pub fn last_heard(&self, now: Now) -> BTreeMap<NodeId, Duration> {
        let heard = self.state.nodes.iter();
        heard.filter_map(|(id, node)| Some((id.clone(), now.moment.since(node.heard?)))).collect()
    }

    /// How the calls of each node went since it started, as it last said; of those that are here and say it.
    pub fn tallies(&self) -> BTreeMap<NodeId, Tally> {
        let here = self.state.nodes.iter().filter(|(_, node)| !node.lease.is_gone());
        here.filter_map(|(id, node)| Some((id.clone(), node.tally?))).collect()
    }

    pub fn apply(&mut self, command: Command, now: Now) -> Applied {
        let mut applied = Applied::default();
        let step = state::Step { now, applied: &mut applied };
        match command {
            Command::Report { stream, sender, claims, tally } => {
                report::take(&mut self.state, &self.rules, stream, &sender, claims, step);
                self.state.tallied(stream, &sender.node, tally);
            }
            Command::Light { stream, node, tally } => {
                self.state.light(&self.rules.lease, stream, &node, step);
                self.state.tallied(stream, &node, tally);
            }
            Command::StreamLost { stream, node } => self.state.stream_lost(stream, &node, step),
            Command::Draining { stream, node } => self.state.draining(&self.rules.lease, stream, &node, step),
            Command::Leave { stream, node } => self.state.leave(stream, &node, step),
            Command::Revoke { target, reason } => revoke::revoke(&mut self.state, target, &reason, step),
            Command::Sweep => sweep::sweep(&mut self.state, &mut self.guard, &self.rules, step),
            Command::Note { kind, subject, detail } => step.note(kind, &subject, &detail),
        }
        for event in &mut applied.events {
            event.id = self.next_event;
            self.next_event += 1;
        }
        applied
    }
}

#[cfg(test)]
mod tests;
