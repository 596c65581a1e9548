//! What the passing of time does: leases end, and what has been gone for long is forgotten.

use std::time::Duration;

use outrigger_model::name::NodeId;

use crate::event::EventKind;
use crate::lease::{Lease, LeaseRules};
use crate::moment::Moment;

use super::command::Rules;
use super::guard::{Guard, Judgement};
use super::revoke;
use super::state::{State, Step};

/// A node that has been gone for this long is dropped with its replicas; until then people can see what was there.
pub const FORGET_AFTER: Duration = Duration::from_secs(3_600);

pub fn sweep(state: &mut State, guard: &mut Guard, rules: &Rules, mut step: Step<'_>) {
    revoke::release(state, rules.revocations_kept, &mut step);
    let rules = &rules.lease;
    let now = step.now.moment;
    forgive_own_absence(state, rules, now);
    let due: Vec<NodeId> =
        state.nodes.iter().filter(|(_, node)| node.lease.is_due(now)).map(|(id, _)| id.clone()).collect();
    // Proxies that only call come and go as they like: nobody is withdrawn with them.
    let fronts = |id: &&NodeId| state.nodes.get(*id).is_some_and(|node| !node.replicas.is_empty());
    let (fronting, alive) = (due.iter().filter(fronts).count(), state.nodes.values());
    let alive = alive.filter(|node| !node.lease.is_gone() && !node.replicas.is_empty()).count();
    match guard.judge(fronting, alive, rules.lease(), now) {
        Judgement::Hold { is_news } => hold(state, &due, alive, is_news, &mut step),
        Judgement::End => {
            if guard.release() {
                step.tell(EventKind::LeasesReleased, "control", "few enough leases are due: they end again");
            }
            end(state, &due, &mut step);
        }
    }
    forget(state, &mut step);
}

/// Sweeps come every second. If one comes much later control itself did not run, and signals may still wait unread.
fn forgive_own_absence(state: &mut State, rules: &LeaseRules, now: Moment) {
    let last = std::mem::replace(&mut state.swept, now);
    if now.since(last) > rules.light() {
        for node in state.nodes.values_mut() {
            node.lease = node.lease.at_least(now.after(rules.lease()));
        }
    }
}

fn hold(state: &mut State, due: &[NodeId], alive: usize, is_news: bool, step: &mut Step<'_>) {
    if is_news {
        let detail = format!(
            "{} of {alive} leases are due at once: kept as unknown, because control may be the one that is cut off",
            due.len()
        );
        step.tell(EventKind::LeasesHeld, "control", &detail);
    }
    for id in due {
        if let Some(node) = state.nodes.get_mut(id)
            && matches!(node.lease, Lease::Live { .. })
        {
            node.lease = node.lease.suspected();
            state.settle(id, "its lease is due and was held", step);
        }
    }
}

fn end(state: &mut State, due: &[NodeId], step: &mut Step<'_>) {
    for id in due {
        if let Some(node) = state.nodes.get_mut(id) {
            node.lease = Lease::Gone { since: step.now.moment };
            state.settle(id, "its lease ended", step);
        }
    }
}

fn forget(state: &mut State, step: &mut Step<'_>) {
    let is_old = |lease: Lease| matches!(lease, Lease::Gone { since } if step.now.moment.since(since) >= FORGET_AFTER);
    let gone =
        state.nodes.iter().filter(|(_, node)| is_old(node.lease) || (node.lease.is_gone() && node.replicas.is_empty()));
    let gone: Vec<NodeId> = gone.map(|(id, _)| id.clone()).collect();
    for id in gone {
        if let Some(node) = state.nodes.remove(&id) {
            for replica in &node.replicas {
                state.withdraw(replica, EventKind::ReplicaForgotten, "its lease ended long ago", step);
            }
        }
    }
}
