//! The names under which tools and prompts of many agents stand side by side.
//!
//! In: an agent and a name it gave. Out: an alias of at most [`ALIAS_CHARS_MAX`] letters of `[A-Za-z0-9_-]`, and the way back.
//! Form: `agent__name` where that is short, legal and can be taken apart in one way; else the beginning of both and a digest. The
//! first kind always holds `__` and the second never does, so they cannot meet; the first is taken apart without any list.
//! Invariant: an alias depends on its own pair only. Only two equal digests, which [`Aliases`] sees, could change that.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_model::digest::Digest;

/// Several model APIs take no longer names of tools.
pub const ALIAS_CHARS_MAX: usize = 64;
const JOINT: &str = "__";
/// 64 bits of the digest.
const DIGEST_CHARS: usize = 16;

/// The way back from an alias to an agent and its own name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases {
    owners: BTreeMap<String, (String, String)>,
    digested: BTreeMap<(String, String), String>,
}

/// The alias of one pair, without a look at others.
pub fn alias(agent: &str, name: &str) -> String {
    if is_plain(agent, name) { format!("{agent}{JOINT}{name}") } else { digested(agent, name, 0) }
}

/// Takes `agent__name` apart; none for what is no alias of that form.
pub fn split(alias: &str) -> Option<(&str, &str)> {
    alias.split_once(JOINT).filter(|(agent, name)| is_plain(agent, name))
}

impl Aliases {
    /// Gives every pair its alias; of equal pairs one counts.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut aliases = Self::default();
        let pairs: BTreeSet<(&str, &str)> = pairs.into_iter().filter(|(agent, name)| !is_plain(agent, name)).collect();
        for (agent, name) in pairs {
            let free = (0..).map(|turn| digested(agent, name, turn)).find(|text| !aliases.owners.contains_key(text));
            let Some(text) = free else { continue };
            aliases.owners.insert(text.clone(), (agent.to_owned(), name.to_owned()));
            aliases.digested.insert((agent.to_owned(), name.to_owned()), text);
        }
        aliases
    }

    pub fn alias(&self, agent: &str, name: &str) -> String {
        let known = self.digested.get(&(agent.to_owned(), name.to_owned()));
        known.cloned().unwrap_or_else(|| alias(agent, name))
    }

    /// The agent behind an alias, and its own name for what is meant.
    pub fn owner<'a>(&'a self, alias: &'a str) -> Option<(&'a str, &'a str)> {
        let known = self.owners.get(alias).map(|(agent, name)| (agent.as_str(), name.as_str()));
        known.or_else(|| split(alias))
    }
}

/// Whether `agent__name` is short, legal, and splits at its first joint.
fn is_plain(agent: &str, name: &str) -> bool {
    let fits = agent.len() + JOINT.len() + name.len() <= ALIAS_CHARS_MAX;
    let legal = |text: &str| !text.is_empty() && text.bytes().all(is_legal);
    fits && legal(agent) && legal(name) && !agent.contains(JOINT) && !agent.ends_with('_')
}

fn digested(agent: &str, name: &str, turn: u32) -> String {
    let digest = Digest::of_parts([agent.as_bytes(), name.as_bytes(), &turn.to_be_bytes()]).to_string();
    let mut head = String::with_capacity(ALIAS_CHARS_MAX);
    for letter in agent.chars().chain(['_']).chain(name.chars()) {
        let letter = if u8::try_from(letter).is_ok_and(is_legal) { letter } else { '_' };
        if head.len() + 1 + DIGEST_CHARS >= ALIAS_CHARS_MAX {
            break;
        }
        if letter != '_' || !head.ends_with('_') {
            head.push(letter);
        }
    }
    head.push('-');
    head.push_str(digest.get(..DIGEST_CHARS).unwrap_or_default());
    head
}

const fn is_legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

#[cfg(test)]
mod tests;
