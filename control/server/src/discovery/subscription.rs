//! What one stream asked for in one topic, what its client holds of it, and what it must be told next.
//!
//! In: subscription changes, answers, refusals, the shelf of a snapshot. Out: [`Pending`].
//! Never here: sockets, clocks, encoding.
//! Invariant: what is sent counts as held at once, because a stream keeps its order; a refusal moves it into `doubt`,
//! and what is in doubt is never repeated by itself, only together with something that differs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use outrigger_model::resource::Token;

use crate::publish::edition::Shelf;

/// Most names that one stream may subscribe to in one topic.
pub const NAMES_MAX: usize = 10_000;

/// The name that stands for everything there is.
const WILDCARD: &str = "*";

/// More names than a stream may ask for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("more than {NAMES_MAX} names of one type on one stream")]
pub struct TooManyNames;

/// What the client must be told.
#[derive(Debug, Clone)]
pub enum Pending {
    Nothing,
    /// Everything that changed since a shelf that it holds whole; none: it holds nothing. The same for all such streams.
    Since(Option<Arc<Shelf>>),
    /// Changes that only this stream needs.
    Own(Changes),
}

/// Names to send, and names to take back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub changed: Vec<String>,
    pub removed: Vec<String>,
}

/// One topic of one stream.
#[derive(Debug)]
pub struct Subscription {
    wildcard: bool,
    names: BTreeSet<String>,
    /// Asked for by name: answered whatever the client is believed to hold.
    owed: BTreeSet<String>,
    /// A wildcard that was never answered; it is, even if there is nothing.
    unanswered: bool,
    held: Held,
    /// What it held when it last accepted a Manifest.
    committed: Held,
    /// What the client may or may not have taken, by the token that was sent; none: its removal was sent.
    doubt: BTreeMap<String, Option<Token>>,
}

#[derive(Debug, Clone)]
enum Held {
    Whole(Arc<Shelf>),
    /// By the token that the client reported; none: one that we never made.
    Names(BTreeMap<String, Option<Token>>),
}

impl Held {
    /// The outer option: whether it is held at all.
    fn token(&self, name: &str) -> Option<Option<Token>> {
        match self {
            Self::Whole(shelf) => shelf.token(name).map(Some),
            Self::Names(names) => names.get(name).copied(),
        }
    }

    fn to_names(&self) -> BTreeMap<String, Option<Token>> {
        match self {
            Self::Whole(shelf) => shelf.entries.iter().map(|(name, entry)| (name.clone(), Some(entry.token))).collect(),
            Self::Names(names) => names.clone(),
        }
    }

    fn to_names_that(&self, pass: impl Fn(&str) -> bool) -> Vec<String> {
        match self {
            Self::Whole(shelf) => shelf.entries.keys().filter(|name| pass(name)).cloned().collect(),
            Self::Names(names) => names.keys().filter(|name| pass(name)).cloned().collect(),
        }
    }
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }

    /// What leads from one whole shelf to another.
    pub fn between(from: Option<&Shelf>, to: &Shelf) -> Self {
        let before = |name: &str| from.and_then(|shelf| shelf.token(name));
        let changed = to.entries.iter().filter(|(name, entry)| before(name) != Some(entry.token));
        let gone = from.into_iter().flat_map(|shelf| shelf.entries.keys()).filter(|name| to.token(name).is_none());
        Self { changed: changed.map(|(name, _)| name.clone()).collect(), removed: gone.cloned().collect() }
    }
}

impl Subscription {
    /// The first request of a topic on a stream; without any name it asks for everything.
    pub fn open(subscribe: Vec<String>, held: BTreeMap<String, Option<Token>>) -> Result<Self, TooManyNames> {
        let fresh = held.is_empty();
        let mut opened = Self {
            wildcard: false,
            names: BTreeSet::new(),
            owed: BTreeSet::new(),
            unanswered: false,
            committed: Held::Names(held.clone()),
            held: Held::Names(held),
            doubt: BTreeMap::new(),
        };
        let subscribe = if subscribe.is_empty() { vec![WILDCARD.to_owned()] } else { subscribe };
        opened.change(subscribe, Vec::new())?;
        opened.unanswered = opened.wildcard && fresh;
        Ok(opened)
    }

    /// Takes names in and out.
    pub fn change(&mut self, subscribe: Vec<String>, unsubscribe: Vec<String>) -> Result<(), TooManyNames> {
        for name in subscribe {
            if name != WILDCARD {
                self.owed.insert(name.clone());
                self.names.insert(name);
            } else if !self.wildcard {
                self.wildcard = true;
                self.unanswered = true;
            }
        }
        if self.names.len() > NAMES_MAX || self.owed.len() > NAMES_MAX {
            return Err(TooManyNames);
        }
        for name in unsubscribe {
            if name == WILDCARD {
                self.drop_wildcard();
            } else if self.names.remove(&name) {
                self.drop_name(name);
            }
        }
        Ok(())
    }

    /// The rest of what it holds becomes names that nobody wants, which [`Subscription::pending`] takes back.
    fn drop_wildcard(&mut self) {
        if self.wildcard {
            self.wildcard = false;
            self.unanswered = false;
            self.held = Held::Names(self.held.to_names());
        }
    }

    fn drop_name(&mut self, name: String) {
        if self.wildcard {
            // The client forgets it, and the wildcard still covers it: say whether it exists.
            self.owed.insert(name);
            return;
        }
        self.owed.remove(&name);
        self.doubt.remove(&name);
        if let Held::Names(names) = &mut self.held {
            names.remove(&name);
        }
    }

    fn wants(&self, name: &str) -> bool {
        self.wildcard || self.names.contains(name)
    }

    /// Whether the client may lack something that it was sent.
    pub fn is_in_doubt(&self) -> bool {
        !self.doubt.is_empty()
    }

    /// The client says that it has no resource of this name any more.
    pub fn lost(&mut self, name: &str) {
        self.doubt.insert(name.to_owned(), None);
    }

    /// Whether the client waits for an answer to something that it asked.
    pub fn is_asking(&self) -> bool {
        self.unanswered || !self.owed.is_empty()
    }

    /// What leads the client to `shelf`. `along`: something else is sent anyway, so what is in doubt goes with it.
    pub fn pending(&self, shelf: &Arc<Shelf>, along: bool) -> Pending {
        if self.wildcard && self.owed.is_empty() && self.doubt.is_empty() {
            match &self.held {
                Held::Whole(held) if Arc::ptr_eq(held, shelf) || held.changed == shelf.changed => {
                    return Pending::Nothing;
                }
                Held::Whole(held) => return Pending::Since(Some(Arc::clone(held))),
                Held::Names(names) if names.is_empty() && (self.unanswered || !shelf.entries.is_empty()) => {
                    return Pending::Since(None);
                }
                Held::Names(_) => {}
            }
        }
        let (mut changes, doubtful) = self.own_changes(shelf);
        let speaks = self.unanswered || !changes.is_empty() || (along && !doubtful.is_empty());
        if !speaks {
            return Pending::Nothing;
        }
        changes.changed.extend(doubtful.changed);
        changes.removed.extend(doubtful.removed);
        Pending::Own(changes)
    }

    /// What must be said, and what would only be repeated.
    fn own_changes(&self, shelf: &Shelf) -> (Changes, Changes) {
        let (mut certain, mut doubtful) = (Changes::default(), Changes::default());
        for (name, entry) in shelf.entries.iter().filter(|(name, _)| self.wants(name)) {
            let sent = self.doubt.get(name);
            if self.owed.contains(name) || sent.is_some_and(|sent| *sent != Some(entry.token)) {
                certain.changed.push(name.clone());
            } else if sent.is_some() {
                doubtful.changed.push(name.clone());
            } else if self.held.token(name) != Some(Some(entry.token)) {
                certain.changed.push(name.clone());
            }
        }
        let gone = |name: &str| shelf.token(name).is_none() || !self.wants(name);
        for (name, sent) in self.doubt.iter().filter(|(name, _)| gone(name)) {
            let list = if sent.is_some() { &mut certain } else { &mut doubtful };
            list.removed.push(name.clone());
        }
        let absent = self.owed.iter().filter(|name| shelf.token(name).is_none());
        let held = self.held.to_names_that(gone);
        let mut rest: BTreeSet<String> = absent.cloned().chain(held).collect();
        rest.retain(|name| !self.doubt.contains_key(name) || self.owed.contains(name));
        doubtful.removed.retain(|name| !rest.contains(name));
        rest.extend(std::mem::take(&mut certain.removed));
        certain.removed = rest.into_iter().collect();
        (certain, doubtful)
    }

    /// `shelf` was sent as far as [`Subscription::pending`] said.
    pub fn told(&mut self, shelf: &Arc<Shelf>, pending: &Pending) {
        self.owed.clear();
        self.unanswered = false;
        if let Pending::Own(changes) = pending {
            for name in changes.changed.iter().chain(&changes.removed) {
                self.doubt.remove(name);
            }
        }
        self.held = if self.wildcard {
            Held::Whole(Arc::clone(shelf))
        } else {
            let names = self.names.iter().filter_map(|name| Some((name.clone(), Some(shelf.token(name)?))));
            Held::Names(names.collect())
        };
    }

    /// The client refused an answer: it may hold all, some or none of it.
    pub fn refused(&mut self, answer: impl IntoIterator<Item = (String, Option<Token>)>) {
        let known = |name: &String| self.wildcard || self.names.contains(name);
        self.doubt.extend(answer.into_iter().filter(|(name, token)| token.is_none() || known(name)));
    }

    /// What follows is of another view, so what is held is known by tokens only.
    pub fn moved(&mut self) {
        self.held = Held::Names(self.held.to_names());
    }

    /// The client accepted a Manifest: what it holds is what it runs.
    pub fn commit(&mut self) {
        self.committed = self.held.clone();
    }

    /// The client refused a Manifest: it went back to what it ran before, or kept what it was sent.
    pub fn roll_back(&mut self) {
        if let (Held::Whole(held), Held::Whole(committed)) = (&self.held, &self.committed)
            && Arc::ptr_eq(held, committed)
        {
            return;
        }
        let (held, committed) = (self.held.to_names(), self.committed.to_names());
        for name in held.keys().chain(committed.keys()) {
            if held.get(name) != committed.get(name) {
                let sent = held.get(name).copied().flatten();
                self.doubt.entry(name.clone()).or_insert(sent);
            }
        }
    }
}
