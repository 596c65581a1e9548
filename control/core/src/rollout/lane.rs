//! Who tries a candidate: by labels, by share, and one proxy at least.
//!
//! In: node ids and labels. Out: the [`Lane`] of each.
//! How: a node id has a point between 0 and 100 that never changes; a share takes all points below it.
//! Invariant: whoever is in a narrower share is in every wider one. Who only watches, and stock clients, are in no lane; the caller asks for
//! proxies only.

use std::collections::BTreeSet;

use outrigger_model::digest::Digest;
use outrigger_model::label::{Labels, Selector};
use outrigger_model::name::NodeId;

/// Which of two intents a proxy runs by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    #[default]
    Main,
    /// By the candidate.
    Canary,
}

/// Who is in the lane of the candidate; by default nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    pub selector: Option<Selector>,
    /// Of all proxies, 0 to 100.
    pub share: u8,
    /// Goes first where the share is too small for anybody.
    pub lead: Option<NodeId>,
}

impl Lane {
    /// As snapshots and operators name it; the main lane has no name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Canary => "canary",
        }
    }
}

impl Membership {
    pub fn contains(&self, node: &NodeId, labels: &Labels) -> bool {
        point(node) < u64::from(self.share)
            || self.lead.as_ref() == Some(node)
            || self.selector.as_ref().is_some_and(|selector| selector.matches(labels))
    }

    pub fn lane(&self, node: &NodeId, labels: &Labels) -> Lane {
        if self.contains(node, labels) { Lane::Canary } else { Lane::Main }
    }

    /// The same with somebody who goes first, if of these proxies nobody is in it and a share is asked for.
    #[must_use]
    pub fn with_lead(self, proxies: &BTreeSet<(NodeId, Labels)>) -> Self {
        if self.share == 0 || proxies.iter().any(|(node, labels)| self.contains(node, labels)) {
            return self;
        }
        let first = proxies.iter().min_by_key(|(node, _)| (hash(node), node));
        Self { lead: first.map(|(node, _)| node.clone()), ..self }
    }
}

/// 0 to 99, evenly spread; grows with the hash, so that the smallest hash is in the smallest share.
fn point(node: &NodeId) -> u64 {
    let point = (u128::from(hash(node)) * 100) >> 64;
    u64::try_from(point).unwrap_or(99)
}

fn hash(node: &NodeId) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *Digest::of(node.as_str().as_bytes()).as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests;
