//! Proxies as rollouts see them.
//!
//! In: the rows of watchers. Out: [`Seen`] of every proxy that may try a candidate.
//! Never here: stock clients, and who only looks; they are in no lane.

use std::collections::BTreeSet;

use outrigger_control_core::rollout::compare::Seen;
use outrigger_control_core::rollout::lane::Lane;
use outrigger_model::label::Labels;
use outrigger_model::name::NodeId;

use crate::discovery::watchers::{Row, Watchers};

pub fn seen(watchers: &Watchers) -> Vec<Seen> {
    watchers.list().into_iter().filter(|row| row.may_try).map(of).collect()
}

/// Those that are connected.
pub fn proxies(watchers: &Watchers) -> BTreeSet<(NodeId, Labels)> {
    let here = watchers.list().into_iter().filter(|row| row.may_try && row.streams > 0);
    here.map(|row| (row.node, row.labels)).collect()
}

fn of(row: Row) -> Seen {
    let candidate = row.refused_candidate.map(|(serial, detail)| (Lane::Canary, serial, detail));
    let main = row.refusal.filter(|_| row.lane == Lane::Main).map(|(serial, detail)| (Lane::Main, serial, detail));
    Seen {
        is_connected: row.streams > 0,
        lane: row.lane,
        applied: row.applied.filter(|_| row.applied_lane == row.lane),
        refusal: candidate.or(main),
        node: row.node,
        labels: row.labels,
    }
}
