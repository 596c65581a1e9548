//! What the lane and the control group did since a step began, summed up.
//!
//! In: proxies as they watch, how their calls went as they last said. Out: a [`Group`] each.
//! Invariant: a proxy is in one group; what it counted before the step, or before it was first heard, counts for none.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_model::label::Labels;
use outrigger_model::name::NodeId;
use outrigger_model::resource::Serial;
use outrigger_model::tally::Tally;

use super::lane::{Lane, Membership};

/// One proxy as its discovery stream shows it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub node: NodeId,
    pub labels: Labels,
    pub is_connected: bool,
    /// Whose snapshots it is sent.
    pub lane: Lane,
    /// The newest snapshot that it applied.
    pub applied: Option<Serial>,
    /// A snapshot that it refused, whose it was, and its words.
    pub refusal: Option<(Lane, Serial, String)>,
}

/// All of one lane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Those that are connected.
    pub proxies: u64,
    /// Of them, those that run a snapshot of the step.
    pub applied: u64,
    /// Those that refused a snapshot of the rollout.
    pub refused: u64,
    /// One of them, and its words.
    pub refusal: Option<String>,
    pub tally: Tally,
    /// The oldest and the newest snapshot that they run.
    pub serials: Option<(Serial, Serial)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    pub canary: Group,
    pub control: Group,
}

/// How the calls of each proxy stood when the step began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline(BTreeMap<NodeId, Tally>);

/// From which snapshots on something counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    pub rollout: Serial,
    pub step: Serial,
}

impl Baseline {
    pub fn new(tallies: BTreeMap<NodeId, Tally>) -> Self {
        Self(tallies)
    }

    /// Whoever was not there counts from when it is first heard.
    fn learn(&mut self, tallies: &BTreeMap<NodeId, Tally>) {
        for (node, tally) in tallies {
            self.0.entry(node.clone()).or_insert(*tally);
        }
        self.0.retain(|node, _| tallies.contains_key(node));
    }

    fn since(&self, node: &NodeId, tally: &Tally) -> Tally {
        self.0.get(node).map(|earlier| tally.after(earlier)).unwrap_or_default()
    }
}

/// Sums both groups up. A node that watches more than once counts once.
pub fn groups(
    seen: &[Seen],
    membership: &Membership,
    since: Since,
    tallies: &BTreeMap<NodeId, Tally>,
    baseline: &mut Baseline,
) -> Groups {
    baseline.learn(tallies);
    let mut groups = Groups::default();
    let mut counted = BTreeSet::new();
    for proxy in seen {
        refusal(&mut groups, proxy, since);
        let lane = membership.lane(&proxy.node, &proxy.labels);
        let group = groups.of(lane);
        if !proxy.is_connected || !counted.insert(&proxy.node) {
            continue;
        }
        group.proxies += 1;
        if proxy.lane == lane
            && let Some(serial) = proxy.applied
        {
            group.applied += u64::from(serial >= since.step);
            let (oldest, newest) = group.serials.unwrap_or((serial, serial));
            group.serials = Some((oldest.min(serial), newest.max(serial)));
        }
        if let Some(tally) = tallies.get(&proxy.node) {
            group.tally = group.tally.and(&baseline.since(&proxy.node, tally));
        }
    }
    groups
}

/// Also of a proxy that refused and went.
fn refusal(groups: &mut Groups, proxy: &Seen, since: Since) {
    if let Some((lane, serial, detail)) = &proxy.refusal
        && *serial >= since.rollout
    {
        let group = groups.of(*lane);
        group.refused += 1;
        group.refusal.get_or_insert_with(|| format!("{} refused {serial}: {detail}", proxy.node));
    }
}

impl Groups {
    fn of(&mut self, lane: Lane) -> &mut Group {
        match lane {
            Lane::Main => &mut self.control,
            Lane::Canary => &mut self.canary,
        }
    }
}

#[cfg(test)]
mod tests;
