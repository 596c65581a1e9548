//! A full report: what is taken of it, what is refused, what it no longer holds.
//!
//! Invariant: a refusal of one replica never touches another; a whole report is refused only if its sender is not who
//! the node is known to be.

use std::collections::BTreeSet;
use std::sync::Arc;

use outrigger_model::identity::SpiffeId;
use outrigger_model::name::{NodeId, ReplicaId};
use outrigger_model::replica::{Replica, ReplicaState};

use crate::agent::{Claim, REPLICAS_PER_REPORT_MAX, Reason, Refusal, Reported, Sender, admit};
use crate::event::{DETAIL_BYTES_MAX, EventKind, one_line};
use crate::facts::Standing;
use crate::lease::Lease;
use crate::resolve::cycle;

use super::command::{Answer, Rules, StreamId};
use super::node::Node;
use super::state::{State, Step};

pub fn take(
    state: &mut State,
    rules: &Rules,
    stream: StreamId,
    sender: &Sender,
    claims: Vec<Claim>,
    mut step: Step<'_>,
) {
    if let Some(refusal) = refuse_whole(state, rules, sender, claims.len()) {
        step.tell(EventKind::ReportRefused, sender.node.as_str(), &refusal.to_string());
        step.applied.answer = Answer::Taken { refused: vec![refusal] };
        return;
    }
    let mut refused = Vec::new();
    let mut kept = BTreeSet::new();
    open(state, rules, stream, sender, &step);
    for (at, claim) in claims.into_iter().enumerate() {
        let admitted = admit(at, claim, sender, &rules.networks)
            .and_then(|reported| check_place(state, rules, at, reported, &kept))
            .and_then(|reported| check_requirements(state, at, reported));
        match admitted {
            Ok(reported) => {
                kept.insert(reported.replica.id.clone());
                put(state, reported, &mut step);
            }
            Err(refusal) => refused.push(refusal),
        }
    }
    withdraw_unreported(state, &sender.node, &kept, &refused, &mut step);
    if let Some(node) = state.nodes.get_mut(&sender.node) {
        for refusal in refused.iter().filter(|refusal| !node.refused.contains(refusal)) {
            step.tell(EventKind::ReportRefused, &refusal.replica, &refusal.to_string());
        }
        node.refused.clone_from(&refused);
    }
    step.applied.answer = Answer::Taken { refused };
}

/// The node may be somebody else's, or there may be no room for another.
fn refuse_whole(state: &State, rules: &Rules, sender: &Sender, claims: usize) -> Option<Refusal> {
    let no =
        |reason, detail: String| Some(Refusal { replica: String::new(), reason, field: "replicas".to_owned(), detail });
    if claims > REPLICAS_PER_REPORT_MAX {
        return no(Reason::Limit, format!("{claims} replicas in one report; {REPLICAS_PER_REPORT_MAX} are allowed"));
    }
    match state.nodes.get(&sender.node) {
        Some(node) if !node.lease.is_gone() && node.identity != sender.identity => {
            let (node, holder) = (&sender.node, shown(node.identity.as_ref()));
            no(
                Reason::Conflict,
                format!("node `{node}` is alive and belongs to {holder}; set another `node` for this proxy"),
            )
        }
        None if state.nodes.len() >= rules.replicas_max => {
            no(Reason::Limit, format!("{} nodes are registered; raise `registration.replicas_max`", state.nodes.len()))
        }
        _ => None,
    }
}

fn shown(identity: Option<&SpiffeId>) -> String {
    identity.map_or_else(|| "a proxy without an identity".to_owned(), ToString::to_string)
}

/// The node is here, on this stream.
fn open(state: &mut State, rules: &Rules, stream: StreamId, sender: &Sender, step: &Step<'_>) {
    let lease = Lease::renewed(&rules.lease, step.now.moment);
    let node = state.nodes.entry(sender.node.clone()).or_insert_with(|| Node::new(lease));
    // A proxy that comes back on a new stream has started again, or would say once more that it is draining.
    if node.stream != Some(stream) {
        node.is_draining = false;
    }
    node.stream = Some(stream);
    node.identity.clone_from(&sender.identity);
    node.lease = lease;
    node.heard = Some(step.now.moment);
}

/// Whether the replica id is free for this node, and there is room.
fn check_place(
    state: &State,
    rules: &Rules,
    at: usize,
    reported: Reported,
    kept: &BTreeSet<ReplicaId>,
) -> Result<Reported, Refusal> {
    let id = &reported.replica.id;
    let no = |reason, detail: String| {
        Err(Refusal { replica: id.as_str().to_owned(), reason, field: format!("replicas[{at}].id"), detail })
    };
    if kept.contains(id) {
        return no(Reason::Conflict, format!("replica `{id}` is in this report twice"));
    }
    match state.facts.get(id) {
        Some(standing) if standing.replica.node != reported.replica.node && is_alive(state, standing) => {
            let holder = &standing.replica.node;
            no(
                Reason::Conflict,
                format!("replica `{id}` belongs to node `{holder}`, which is alive; set another `replica`"),
            )
        }
        None if state.facts.len() >= rules.replicas_max => no(
            Reason::Limit,
            format!("{} replicas are registered; raise `registration.replicas_max`", state.facts.len()),
        ),
        _ => Ok(reported),
    }
}

/// Functions that require each other in a circle would never work, and nobody could tell why.
fn check_requirements(state: &State, at: usize, reported: Reported) -> Result<Reported, Refusal> {
    let replica = &reported.replica;
    let known = state.facts.get(&replica.id).is_some_and(|old| {
        old.replica.registration == replica.registration && old.replica.namespace == replica.namespace
    });
    match if known { None } else { cycle::through(&state.facts, replica) } {
        None => Ok(reported),
        Some(circle) => Err(Refusal {
            replica: replica.id.as_str().to_owned(),
            reason: Reason::Shape,
            field: format!("replicas[{at}].registration"),
            detail: one_line(&format!("required dependency cycle: {circle}"), DETAIL_BYTES_MAX),
        }),
    }
}

fn is_alive(state: &State, standing: &Standing) -> bool {
    state.nodes.get(&standing.replica.node).is_some_and(|node| !node.lease.is_gone())
}

fn put(state: &mut State, reported: Reported, step: &mut Step<'_>) {
    let Reported { replica, serving, trouble } = reported;
    let (id, node_id) = (replica.id.clone(), replica.node.clone());
    let old = state.facts.get(&id).cloned();
    let holder = old.as_ref().map(|old| &old.replica.node).filter(|holder| **holder != node_id);
    if let Some(holder) = holder.and_then(|holder| state.nodes.get_mut(holder)) {
        holder.replicas.remove(&id);
    }
    let Some(node) = state.nodes.get_mut(&node_id) else { return };
    node.replicas.insert(id.clone());
    let now_in = node.state_of(serving);
    let is_same_record = old.as_ref().is_some_and(|old| *old.replica == replica);
    match &old {
        None => step.tell(EventKind::ReplicaRegistered, id.as_str(), &registered(&replica, now_in, &trouble)),
        Some(old) => {
            if !is_same_record {
                step.tell(EventKind::ReplicaChanged, id.as_str(), &changed(&old.replica, &replica));
            }
            if old.state != now_in {
                step.tell(event_of(now_in), id.as_str(), &trouble);
            }
        }
    }
    let is_same_state = old.as_ref().is_some_and(|old| old.state == now_in);
    if is_same_record && is_same_state && old.as_ref().is_some_and(|old| *old.trouble == *trouble) {
        return;
    }
    // A new text about an old trouble is stored and shown; no watcher needs to hear of it.
    step.applied.touched.insert(id.clone());
    step.applied.is_relevant |= !(is_same_record && is_same_state);
    let replica = match old {
        Some(old) if is_same_record => old.replica,
        _ => Arc::new(replica),
    };
    Arc::make_mut(&mut state.facts).put(Standing { replica, state: now_in, trouble: trouble.into() });
}

fn event_of(state: ReplicaState) -> EventKind {
    match state {
        ReplicaState::Healthy => EventKind::ReplicaRecovered,
        ReplicaState::Unhealthy => EventKind::ReplicaFailed,
        ReplicaState::Unknown => EventKind::ReplicaLost,
        ReplicaState::Draining => EventKind::DrainStarted,
    }
}

fn registered(replica: &Replica, state: ReplicaState, trouble: &str) -> String {
    let Replica { agent, version, address, capabilities, .. } = replica;
    let trouble = if trouble.is_empty() { String::new() } else { format!(": {trouble}") };
    format!("{agent} {version} at {address}, {} capabilities, {state}{trouble}", capabilities.len())
}

/// Which parts of a record differ.
fn changed(old: &Replica, new: &Replica) -> String {
    let parts = [
        ("agent", old.agent != new.agent),
        ("node", old.node != new.node),
        ("version", old.version != new.version),
        ("tags", old.tags != new.tags),
        ("address", old.address != new.address),
        ("identity", old.identity != new.identity),
        ("generation", old.generation != new.generation),
        ("revisions", old.revisions != new.revisions),
        ("weight", old.weight != new.weight),
        ("namespace", old.namespace != new.namespace),
        ("registration", old.registration != new.registration),
        ("capabilities", old.capabilities != new.capabilities),
    ];
    let names: Vec<&str> = parts.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
    names.join(", ")
}

/// What the node had before and did not name now. A replica whose claim was refused is withdrawn too: what it was is no
/// longer what its proxy says it is.
fn withdraw_unreported(
    state: &mut State,
    node: &NodeId,
    kept: &BTreeSet<ReplicaId>,
    refused: &[Refusal],
    step: &mut Step<'_>,
) {
    let Some(held) = state.nodes.get_mut(node) else { return };
    let gone: Vec<ReplicaId> = held.replicas.difference(kept).cloned().collect();
    held.replicas.clone_from(kept);
    for id in gone {
        let is_refused = refused.iter().any(|refusal| refusal.replica == id.as_str());
        let why = if is_refused { "its proxy's new report of it was refused" } else { "its proxy reports it no more" };
        state.withdraw(&id, EventKind::ReplicaLeft, why, step);
    }
}

/// For tests of the invariant: every standing is held by exactly the node it names.
#[cfg(test)]
pub fn is_consistent(state: &State) -> bool {
    let facts = &state.facts;
    let held: usize = state.nodes.values().map(|node| node.replicas.len()).sum();
    held == facts.len()
        && facts.standings().all(|standing| {
            let node = state.nodes.get(&standing.replica.node);
            node.is_some_and(|node| node.replicas.contains(&standing.replica.id))
        })
}
