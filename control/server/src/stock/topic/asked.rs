//! Which names of one kind a client asked for, and which of them it still waits for.
//!
//! In: lists and changes of names. Out: whether a name is wanted, whether it is owed an answer.
//! Invariant: a name that is newly asked for is answered whatever the client is believed to hold: it may have dropped it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::stock::kind::Kind;

/// Most names that one stream may ask for in one kind.
pub const NAMES_MAX: usize = 10_000;
/// The name that stands for everything there is.
const WILDCARD: &str = "*";

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("more than {NAMES_MAX} names of one type on one stream")]
pub struct TooManyNames;

#[derive(Debug)]
pub struct Asked {
    kind: Kind,
    is_new: bool,
    /// It named something: from then on an empty list is one of nothing.
    has_named: bool,
    wildcard: bool,
    names: BTreeSet<Arc<str>>,
    owed: BTreeSet<Arc<str>>,
    /// Asked for everything and was never answered, which it must be even if there is nothing.
    unanswered: bool,
}

impl Asked {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            is_new: true,
            has_named: false,
            wildcard: false,
            names: BTreeSet::new(),
            owed: BTreeSet::new(),
            unanswered: false,
        }
    }

    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// The whole list.
    pub fn list(&mut self, names: Vec<String>) -> Result<(), TooManyNames> {
        // Nothing named is everything, where everything can be asked for and nothing was named before.
        if names.is_empty() && self.kind.is_root() && !self.has_named {
            self.is_new = false;
            self.open_wildcard();
            return Ok(());
        }
        self.is_new = false;
        self.has_named |= !names.is_empty();
        let wildcard = names.iter().any(|name| name == WILDCARD);
        let names: BTreeSet<Arc<str>> = names.into_iter().filter(|name| name != WILDCARD).map(Arc::from).collect();
        match wildcard {
            true => self.open_wildcard(),
            false => (self.wildcard, self.unanswered) = (false, false),
        }
        self.owed.extend(names.difference(&self.names).cloned());
        self.names = names;
        let names = &self.names;
        self.owed.retain(|name| names.contains(name));
        self.check()
    }

    /// Names in and out; what the client forgets without another word about it. `reports`: it says what it holds.
    pub fn change(
        &mut self,
        subscribe: Vec<String>,
        unsubscribe: Vec<String>,
        reports: bool,
    ) -> Result<Vec<Arc<str>>, TooManyNames> {
        if self.is_new && subscribe.is_empty() && unsubscribe.is_empty() && self.kind.is_root() {
            self.open_wildcard();
        }
        for name in subscribe {
            if name == WILDCARD {
                self.open_wildcard();
                continue;
            }
            let name: Arc<str> = name.into();
            self.owed.insert(Arc::clone(&name));
            self.names.insert(name);
        }
        // Who says what it holds waits for nothing but what differs.
        self.unanswered &= !(self.is_new && reports);
        self.is_new = false;
        let mut forgotten = Vec::new();
        for name in unsubscribe {
            if name == WILDCARD {
                (self.wildcard, self.unanswered) = (false, false);
            } else if let Some(name) = self.names.take(name.as_str()) {
                if self.wildcard {
                    // It forgets it, and everything still covers it: say whether it is there.
                    self.owed.insert(name);
                } else {
                    self.owed.remove(&name);
                    forgotten.push(name);
                }
            }
        }
        self.check().map(|()| forgotten)
    }

    fn open_wildcard(&mut self) {
        self.unanswered |= !self.wildcard;
        self.wildcard = true;
    }

    fn check(&self) -> Result<(), TooManyNames> {
        if self.names.len() > NAMES_MAX || self.owed.len() > NAMES_MAX { Err(TooManyNames) } else { Ok(()) }
    }

    pub fn wants(&self, name: &str) -> bool {
        self.wildcard || self.names.contains(name)
    }

    pub const fn wildcard(&self) -> bool {
        self.wildcard
    }

    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.names.iter()
    }

    pub fn owed(&self) -> impl Iterator<Item = &Arc<str>> {
        self.owed.iter()
    }

    pub fn owes(&self, name: &str) -> bool {
        self.owed.contains(name)
    }

    pub fn owe(&mut self, names: &[Arc<str>]) {
        let wanted: Vec<_> = names.iter().filter(|name| self.wants(name)).cloned().collect();
        self.owed.extend(wanted);
    }

    /// It holds something of that name and is told only what differs.
    pub fn is_held(&mut self, name: &str) {
        self.owed.remove(name);
    }

    pub fn answered(&mut self, name: &str) {
        self.owed.remove(name);
    }

    /// Something was said, which answers a question for everything.
    pub const fn spoken(&mut self) {
        self.unanswered = false;
    }

    pub const fn is_unanswered(&self) -> bool {
        self.unanswered
    }

    pub fn is_asking(&self) -> bool {
        self.unanswered || !self.owed.is_empty()
    }
}
