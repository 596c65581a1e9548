//! One kind on one stream: what the client asked for, what it holds as far as anybody knows, and what it must be told next.
//!
//! In: requests of either variant, a target for each name ([`Fate`]). Out: [`Pending`].
//! Never here: other kinds; `gates` says what becomes of a name, and `engine` when.
//! Invariants: what was refused is never repeated by itself, only together with something that differs; what a client held when it
//! accepted last is known until it accepts something else.

pub mod asked;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use outrigger_model::resource::Token;

use self::asked::Asked;
use crate::stock::kind::Kind;
use crate::stock::shelf::{Resource, Shelf};

/// Largest sum of bodies in one answer that may be split: many gRPC stacks stop at 4 MiB. A larger body travels alone.
const ANSWER_BYTES_MAX: usize = 1 << 20;
// Name, token and type of one resource.
const ENVELOPE_BYTES: usize = 128;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// State of the world: a request lists all names.
    Sotw,
    Delta,
}

/// What becomes of one name at this client.
#[derive(Debug, Clone)]
pub enum Fate {
    /// It is to hold this.
    Give(Arc<Resource>),
    /// It keeps what it has for now.
    Leave,
    /// There is nothing of that name.
    Gone,
}

/// What the client holds under one name.
#[derive(Debug, Default)]
pub struct Held {
    /// What it has, or will have once it reads what was written. None: nobody knows.
    pub has: Option<Token>,
    /// What it accepted last.
    pub accepted: Option<Arc<Resource>>,
    doubt: Option<Doubt>,
}

/// It refused this, and may have taken it all the same.
#[derive(Debug)]
struct Doubt {
    /// None: a removal.
    sent: Option<Arc<Resource>>,
    /// Nothing else was in the answer, so it is this that it does not want.
    is_culprit: bool,
}

/// An answer to write.
#[derive(Debug, Default)]
pub struct Pending {
    pub changed: Vec<Arc<Resource>>,
    pub removed: Vec<Arc<str>>,
    /// Asked for by name, and not there.
    pub missing: Vec<Arc<str>>,
    /// Of `changed`: what differs from what the client has. The rest is repeated because an answer must be whole.
    pub fresh: Vec<Arc<str>>,
}

#[derive(Debug)]
pub struct Waiting {
    pub nonce: String,
    pub version: String,
    pub since: Instant,
    changed: Vec<Arc<Resource>>,
    removed: Vec<(Arc<str>, Held)>,
}

#[derive(Debug)]
pub struct Topic {
    kind: Kind,
    mode: Mode,
    asked: Asked,
    held: BTreeMap<Arc<str>, Held>,
    pub waiting: Option<Waiting>,
    /// Of the newest answer; an older one in a request of [`Mode::Sotw`] makes the whole request stale.
    nonce: String,
    /// It reported what it holds, which was not compared with anything yet.
    has_reported: bool,
    /// Nothing was left to say with this shelf.
    settled: Option<Arc<Shelf>>,
}

impl Topic {
    pub fn new(kind: Kind, mode: Mode) -> Self {
        Self {
            kind,
            mode,
            asked: Asked::new(kind),
            held: BTreeMap::new(),
            waiting: None,
            nonce: String::new(),
            has_reported: false,
            settled: None,
        }
    }

    pub fn is_stale(&self, nonce: &str) -> bool {
        self.mode == Mode::Sotw && !nonce.is_empty() && nonce != self.nonce
    }

    /// The whole list of names of [`Mode::Sotw`].
    pub fn list(&mut self, names: Vec<String>) -> Result<(), asked::TooManyNames> {
        self.settled = None;
        self.asked.list(names)?;
        // What it no longer names it forgets by itself.
        let asked = &self.asked;
        self.held.retain(|name, _| asked.wants(name));
        Ok(())
    }

    /// A change of the names of [`Mode::Delta`]. `reported`: what it holds from an earlier stream, by a token of ours or of nobody.
    pub fn change(
        &mut self,
        subscribe: Vec<String>,
        unsubscribe: Vec<String>,
        reported: BTreeMap<String, Option<Token>>,
    ) -> Result<(), asked::TooManyNames> {
        self.settled = None;
        let is_first = self.asked.is_new();
        let forgotten = self.asked.change(subscribe, unsubscribe, !reported.is_empty())?;
        for name in forgotten {
            self.held.remove(&*name);
        }
        if is_first {
            self.has_reported = true;
            for (name, token) in reported {
                let name: Arc<str> = name.into();
                // It is answered if that is not what there is.
                self.asked.is_held(&name);
                self.held.insert(name, Held { has: token, ..Held::default() });
            }
        }
        Ok(())
    }

    /// Takes the client's answer to the newest answer; the version of what it was about.
    pub fn accepted(&mut self, nonce: &str) -> Option<String> {
        let waiting = self.waiting.take_if(|waiting| waiting.nonce == nonce)?;
        self.settled = None;
        for resource in waiting.changed {
            if let Some(held) = self.held.get_mut(&resource.name)
                && held.has == Some(resource.token)
            {
                held.accepted = Some(resource);
            }
        }
        Some(waiting.version)
    }

    /// The same where it refuses: it may have taken all, some or none of it.
    pub fn refused(&mut self, nonce: &str) -> Option<String> {
        let waiting = self.waiting.take_if(|waiting| waiting.nonce == nonce)?;
        self.settled = None;
        let is_culprit = waiting.changed.len() + waiting.removed.len() == 1;
        for resource in waiting.changed {
            if let Some(held) = self.held.get_mut(&resource.name) {
                held.has = None;
                held.doubt = Some(Doubt { sent: Some(resource), is_culprit });
            }
        }
        for (name, before) in waiting.removed {
            let doubt = Some(Doubt { sent: None, is_culprit });
            self.held.entry(name).or_insert(Held { has: None, doubt, ..before });
        }
        Some(waiting.version)
    }

    /// What a client reported that is exactly what there is it must have accepted.
    pub fn recognise(&mut self, shelf: &Shelf) {
        if std::mem::take(&mut self.has_reported) {
            for (name, held) in &mut self.held {
                held.accepted = shelf.get(name).filter(|resource| held.has == Some(resource.token)).cloned();
            }
        }
    }

    /// Whether nothing can be left to say.
    pub fn is_settled(&self, shelf: &Arc<Shelf>) -> bool {
        self.settled.as_ref().is_some_and(|settled| Arc::ptr_eq(settled, shelf)) && !self.asked.is_asking()
    }

    pub fn settle(&mut self, shelf: &Arc<Shelf>) {
        self.settled = Some(Arc::clone(shelf));
    }

    /// Has the names answered again, if they are asked for.
    pub fn owe(&mut self, names: &[Arc<str>]) {
        self.asked.owe(names);
        self.settled = None;
    }

    pub fn owes(&self, name: &str) -> bool {
        self.asked.owes(name)
    }

    pub fn is_delta(&self) -> bool {
        self.mode == Mode::Delta
    }

    pub fn wildcard(&self) -> bool {
        self.asked.wildcard()
    }

    pub fn held(&self) -> impl Iterator<Item = (&Arc<str>, &Held)> {
        self.held.iter()
    }

    pub fn get(&self, name: &str) -> Option<&Held> {
        self.held.get(name)
    }

    /// What leads the client to where `fate` says it is to be; none: nothing is to be said. `shelf`: all names that there are.
    pub fn pending(&self, shelf: &Shelf, fate: impl Fn(&str) -> Fate) -> Option<Pending> {
        let mut draft = Draft::default();
        for name in self.names(shelf) {
            self.consider(&name, fate(&name), &mut draft);
        }
        let Draft { mut pending, along, removed_along, whole, speaks } = draft;
        if !(speaks || self.asked.is_unanswered()) {
            return None;
        }
        if self.mode == Mode::Sotw && self.kind.is_root() {
            pending.fresh = pending.changed.iter().chain(&along).map(|it| Arc::clone(&it.name)).collect();
            pending.changed = whole;
            pending.missing = self.asked.names().filter(|name| matches!(fate(name), Fate::Gone)).cloned().collect();
            return Some(pending);
        }
        pending.changed.extend(along);
        pending.removed.extend(removed_along);
        cut(&mut pending.changed);
        pending.fresh = pending.changed.iter().map(|it| Arc::clone(&it.name)).collect();
        Some(pending)
    }

    /// Every name that something may have to be said about, once.
    fn names(&self, shelf: &Shelf) -> BTreeSet<Arc<str>> {
        let known = self.held.keys().chain(self.asked.names()).chain(self.asked.owed()).cloned();
        if self.wildcard() { known.chain(shelf.resources.keys().cloned()).collect() } else { known.collect() }
    }

    fn consider(&self, name: &Arc<str>, fate: Fate, draft: &mut Draft) {
        let held = self.held.get(name);
        let is_owed = self.asked.owes(name);
        let doubt = held.and_then(|held| held.doubt.as_ref());
        match fate {
            Fate::Give(resource) if self.asked.wants(name) => {
                draft.whole.push(Arc::clone(&resource));
                let refused =
                    doubt.is_some_and(|doubt| doubt.sent.as_ref().is_some_and(|sent| sent.token == resource.token));
                let has = held.is_some_and(|held| held.has == Some(resource.token));
                if is_owed || !refused && !has {
                    draft.say(resource);
                } else if refused && !doubt.is_some_and(|doubt| doubt.is_culprit) {
                    draft.along.push(resource);
                }
            }
            Fate::Leave if self.asked.wants(name) => {
                let accepted = held.and_then(|held| held.accepted.clone());
                draft.whole.extend(accepted.clone());
                if is_owed && let Some(accepted) = accepted {
                    draft.say(accepted);
                }
            }
            Fate::Give(_) | Fate::Leave | Fate::Gone => self.consider_gone(name, is_owed, held, draft),
        }
    }

    fn consider_gone(&self, name: &Arc<str>, is_owed: bool, held: Option<&Held>, draft: &mut Draft) {
        let is_removed_in_vain = held.is_some_and(|held| held.doubt.as_ref().is_some_and(|doubt| doubt.sent.is_none()));
        match self.mode {
            Mode::Delta if is_owed || held.is_some() && !is_removed_in_vain => draft.take_back(name),
            Mode::Delta if held.is_some() => draft.removed_along.push(Arc::clone(name)),
            // Only what lists them all can say that one is gone.
            Mode::Sotw if held.is_some() && self.kind.is_root() => draft.take_back(name),
            Mode::Sotw if is_owed => {
                draft.pending.missing.push(Arc::clone(name));
                draft.speaks = true;
            }
            Mode::Delta | Mode::Sotw => {}
        }
    }

    /// `pending` is written under this nonce.
    pub fn told(&mut self, pending: &Pending, nonce: String, version: String, now: Instant) {
        for resource in &pending.changed {
            let held = self.held.entry(Arc::clone(&resource.name)).or_default();
            (held.has, held.doubt) = (Some(resource.token), None);
            self.asked.answered(&resource.name);
        }
        let mut removed = Vec::new();
        for name in &pending.removed {
            removed.push((Arc::clone(name), self.held.remove(name).unwrap_or_default()));
        }
        for name in pending.removed.iter().chain(&pending.missing) {
            self.asked.answered(name);
        }
        self.asked.spoken();
        self.nonce.clone_from(&nonce);
        let changed = pending.changed.clone();
        self.waiting = Some(Waiting { nonce, version, since: now, changed, removed });
    }
}

#[derive(Default)]
struct Draft {
    pending: Pending,
    /// Repeated with something that differs.
    along: Vec<Arc<Resource>>,
    removed_along: Vec<Arc<str>>,
    /// All that the client is to hold.
    whole: Vec<Arc<Resource>>,
    speaks: bool,
}

impl Draft {
    fn say(&mut self, resource: Arc<Resource>) {
        self.pending.changed.push(resource);
        self.speaks = true;
    }

    fn take_back(&mut self, name: &Arc<str>) {
        self.pending.removed.push(Arc::clone(name));
        self.speaks = true;
    }
}

/// What does not fit stays different, and follows when this was accepted.
fn cut(changed: &mut Vec<Arc<Resource>>) {
    let mut room = ANSWER_BYTES_MAX;
    let fit = changed.iter().position(|resource| {
        let size = resource.body.len() + resource.name.len() + ENVELOPE_BYTES;
        let fits = size <= room;
        room = room.saturating_sub(size);
        !fits
    });
    if let Some(fit) = fit {
        changed.truncate(fit.max(1));
    }
}

impl Held {
    /// What the client may run under this name; none: nobody knows.
    pub fn may_run(&self) -> Option<Vec<&Arc<Resource>>> {
        let doubtful = self.doubt.iter().filter_map(|doubt| doubt.sent.as_ref());
        let known: Vec<_> = self.accepted.iter().chain(doubtful).collect();
        (!known.is_empty()).then_some(known)
    }
}
