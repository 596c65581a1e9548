//! The lists of all targets, merged.
//!
//! In: what is known of each target. Out: a [`View`]: pages, owners, capabilities, and a mark for each list that changes with it.
//! Order: by agent, then by the agent's own name or URI. A URI that two agents list is the first agent's.
//! Invariant: a view never changes; a target that does not answer keeps its last good list in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use outrigger_model::digest::Digest;
use outrigger_model::name::AgentName;
use outrigger_proxy_core::aggregate::alias::Aliases;
use outrigger_proxy_core::aggregate::cursor::Cursor;
use outrigger_proxy_core::aggregate::owner::owner;
use tokio::time::Instant;

use super::listing::{Kind, Listing};
use super::object::{Object, Raw, raw};

/// What is known of one target.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub listing: Option<Arc<Listing>>,
    /// When the lists were read last.
    pub read_at: Option<Instant>,
    pub trouble: Option<Trouble>,
}

/// Why a target's lists are not fresh.
#[derive(Debug, Clone)]
pub struct Trouble {
    pub since: Instant,
    pub text: String,
}

/// All targets as one.
#[derive(Debug, Default)]
pub struct View {
    pub targets: BTreeMap<AgentName, Arc<Known>>,
    lists: [Vec<Entry>; 4],
    marks: [Option<Digest>; 4],
    aliases: [Aliases; 2],
    pub ttl: Duration,
    pub private: bool,
    /// Every target was asked at least once.
    pub complete: bool,
}

#[derive(Debug)]
struct Entry {
    agent: AgentName,
    /// The agent's own name for it.
    key: String,
    /// As we tell it.
    told: Raw,
}

/// The cursor is none of ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("cursor was not made here")]
pub struct BadCursor;

impl View {
    /// `refresh` is how long lists are kept whose targets do not say it.
    pub fn of(targets: BTreeMap<AgentName, Arc<Known>>, refresh: Duration, complete: bool) -> Self {
        let mut view = Self { complete, ttl: refresh, ..Self::default() };
        for (kind, place) in Kind::ALL.into_iter().zip(0..) {
            let aliases = Aliases::of(named(&targets, kind));
            let list = merge(&targets, kind, &aliases);
            let mark = Digest::of_parts(list.iter().map(|entry| entry.told.get().as_bytes()));
            if let Some(held) = view.aliases.get_mut(place) {
                *held = aliases;
            }
            if let (Some(held), Some(marked)) = (view.lists.get_mut(place), view.marks.get_mut(place)) {
                (*held, *marked) = (list, Some(mark));
            }
        }
        let listings = || targets.values().filter_map(|known| known.listing.as_ref());
        let told = listings().filter_map(|listing| listing.ttl).min();
        view.ttl = told.map_or(refresh, |told| told.min(refresh));
        view.private = listings().any(|listing| listing.private);
        view.targets = targets;
        view
    }

    /// One page, and where the next one begins.
    pub fn page(
        &self,
        kind: Kind,
        cursor: Option<&str>,
        size: usize,
    ) -> Result<(Vec<&Raw>, Option<String>), BadCursor> {
        let after = cursor.map(|text| Cursor::from_text(text).ok_or(BadCursor)).transpose()?;
        let list = self.list(kind);
        let place = |entry: &Entry| (entry.agent.as_str().to_owned(), entry.key.clone());
        let start = after
            .map_or(0, |after| list.partition_point(|entry| place(entry) <= (after.agent.clone(), after.key.clone())));
        let rest = list.get(start..).unwrap_or_default();
        let page = rest.get(..size).unwrap_or(rest);
        let next = page.last().filter(|_| page.len() < rest.len());
        let next = next.map(|last| Cursor { agent: last.agent.as_str().to_owned(), key: last.key.clone() }.text());
        Ok((page.iter().map(|entry| &entry.told).collect(), next))
    }

    /// The agent behind the alias of a tool or a prompt, and its own name for it.
    pub fn named(&self, kind: Kind, alias: &str) -> Option<(AgentName, String)> {
        let [tools, prompts] = &self.aliases;
        let aliases = if kind == Kind::Tools { tools } else { prompts };
        let (agent, name) = aliases.owner(alias)?;
        let (agent, _) = self.targets.get_key_value(agent)?;
        Some((agent.clone(), name.to_owned()))
    }

    /// Who answers for a resource.
    pub fn resource(&self, uri: &str) -> Option<AgentName> {
        let pairs = |kind| self.list(kind).iter().map(|entry| (entry.agent.as_str(), entry.key.as_str()));
        let agent = owner(pairs(Kind::Resources), pairs(Kind::Templates), uri)?;
        self.targets.get_key_value(agent).map(|(agent, _)| agent.clone())
    }

    /// A target's own entry, as it told it.
    pub fn entry(&self, kind: Kind, agent: &AgentName, key: &str) -> Option<&Object> {
        let listing = self.targets.get(agent)?.listing.as_ref()?;
        listing.list(kind).iter().find(|(known, _)| known == key).map(|(_, entry)| entry)
    }

    /// The lists that are not the same in `other`, by capability.
    pub fn changes(&self, other: &Self) -> BTreeSet<&'static str> {
        let marks = self.marks.iter().zip(&other.marks);
        Kind::ALL.into_iter().zip(marks).filter(|(_, (a, b))| a != b).map(|(kind, _)| kind.capability()).collect()
    }

    /// Whether a target that answered has this capability.
    pub fn any(&self, is: impl Fn(&Listing) -> bool) -> bool {
        self.targets.values().filter_map(|known| known.listing.as_ref()).any(|listing| is(listing))
    }

    /// Targets whose lists are missing or stale, and since when.
    pub fn troubled(&self) -> impl Iterator<Item = (&AgentName, &Trouble)> {
        self.targets.iter().filter_map(|(agent, known)| Some((agent, known.trouble.as_ref()?)))
    }

    fn list(&self, kind: Kind) -> &[Entry] {
        kind.of(&self.lists)
    }
}

fn named(targets: &BTreeMap<AgentName, Arc<Known>>, kind: Kind) -> impl Iterator<Item = (&str, &str)> {
    let named = matches!(kind, Kind::Tools | Kind::Prompts);
    let listed = targets.iter().filter_map(|(agent, known)| Some((agent, known.listing.as_ref()?)));
    listed
        .filter(move |_| named)
        .flat_map(move |(agent, listing)| listing.list(kind).iter().map(|(key, _)| (agent.as_str(), key.as_str())))
}

fn merge(targets: &BTreeMap<AgentName, Arc<Known>>, kind: Kind, aliases: &Aliases) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut uris = BTreeSet::new();
    for (agent, known) in targets {
        let Some(listing) = &known.listing else { continue };
        for (key, entry) in listing.list(kind) {
            let told = match kind {
                Kind::Tools | Kind::Prompts => {
                    let mut entry = entry.clone();
                    entry.set("name", raw(&aliases.alias(agent.as_str(), key)));
                    entry.raw()
                }
                Kind::Resources | Kind::Templates if !uris.insert(key.as_str()) => continue,
                Kind::Resources | Kind::Templates => entry.raw(),
            };
            entries.push(Entry { agent: agent.clone(), key: key.clone(), told });
        }
    }
    entries
}

#[cfg(test)]
mod tests;
