//! One client at an engine: it says what it wants, keeps what it is given, and answers when the test says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, Serial, Token};

use super::*;
use crate::stock::shelf::Shelf;

const EPOCH: Epoch = Epoch(7);

/// `name=content`, for a route `name=content>cluster,cluster`, by kind.
pub type Content<'a> = &'a [(Kind, &'a [&'a str])];

/// Editions of one view, as content comes and goes.
#[derive(Default)]
pub struct Place {
    serial: u64,
    tokens: BTreeMap<(Kind, String), (String, Arc<Resource>)>,
    changed: BTreeMap<Kind, u64>,
}

impl Place {
    /// The next edition: what did not change keeps its token.
    pub fn edition(&mut self, content: Content<'_>) -> Edition {
        self.serial += 1;
        let mut wanted = BTreeMap::new();
        for (kind, rows) in content {
            for row in *rows {
                let (name, text) = row.split_once('=').unwrap_or((row, "1"));
                wanted.insert((*kind, name.to_owned()), text.to_owned());
            }
        }
        let gone: Vec<_> = self.tokens.keys().filter(|key| !wanted.contains_key(*key)).cloned().collect();
        for key in gone {
            self.changed.insert(key.0, self.serial);
            self.tokens.remove(&key);
        }
        for ((kind, name), text) in wanted {
            let known = self.tokens.get(&(kind, name.clone()));
            if known.is_none_or(|(before, _)| *before != text) {
                let (body, leads_to) = text.split_once('>').unwrap_or((&text, ""));
                let leads_to = leads_to.split(',').filter(|name| !name.is_empty()).map(Arc::from);
                let resource = Resource {
                    name: name.as_str().into(),
                    token: Token::new(EPOCH, Serial(self.serial), &Digest::of(text.as_bytes())),
                    body: Bytes::from(body.to_owned()),
                    leads_to: leads_to.collect(),
                };
                self.changed.insert(kind, self.serial);
                self.tokens.insert((kind, name), (text, Arc::new(resource)));
            }
        }
        Edition::new(EPOCH, Serial(self.serial), |kind| {
            let own = self.tokens.iter().filter(|((of, _), _)| *of == kind).map(|(_, (_, resource))| resource.clone());
            Arc::new(Shelf::new(EPOCH, Serial(self.changed.get(&kind).copied().unwrap_or_default()), own))
        })
    }
}

pub struct Client {
    pub engine: Engine,
    mode: Mode,
    pub now: Instant,
    /// What it asks for, for state of the world.
    names: BTreeMap<Kind, Vec<String>>,
    /// Of the newest answer of each kind.
    pub nonces: BTreeMap<Kind, String>,
}

/// An answer in short: `name=body` of what came, `-name` of what went, `?name` of what is not there.
pub type Short = (Kind, Vec<String>);

impl Client {
    pub fn new(mode: Mode) -> Self {
        Self { engine: Engine::new(mode), mode, now: Instant::now(), names: BTreeMap::new(), nonces: BTreeMap::new() }
    }

    pub fn later(&mut self, seconds: u64) -> &mut Self {
        self.now += Duration::from_secs(seconds);
        self
    }

    fn ask(&mut self, kind: Kind, names: Names, nonce: String, refusal: Option<&str>) -> Heard {
        let refusal = refusal.map(str::to_owned);
        self.engine.hear(Ask { kind, names, nonce, refusal }).unwrap()
    }

    /// Lists names, or subscribes to them; a name after `-` is unsubscribed from. Not an answer to anything.
    pub fn wants(&mut self, kind: Kind, names: &[&str]) -> &mut Self {
        let names = self.named(kind, names);
        let nonce =
            if self.mode == Mode::Sotw { self.nonces.get(&kind).cloned().unwrap_or_default() } else { String::new() };
        self.ask(kind, names, nonce, None);
        self
    }

    fn named(&mut self, kind: Kind, names: &[&str]) -> Names {
        let own = |names: Vec<&&str>| names.into_iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        match self.mode {
            Mode::Sotw => {
                let names = own(names.iter().collect());
                self.names.insert(kind, names.clone());
                Names::All(names)
            }
            Mode::Delta => {
                let (out, into): (Vec<&&str>, Vec<&&str>) = names.iter().partition(|name| name.starts_with('-'));
                let unsubscribe = out.into_iter().map(|name| name.trim_start_matches('-').to_owned()).collect();
                Names::Change { subscribe: own(into), unsubscribe, held: BTreeMap::new() }
            }
        }
    }

    /// The first request of a kind on a new stream, with what it holds: `name` and the edition that it has it from.
    pub fn returns(&mut self, kind: Kind, names: &[&str], held: &[(&str, &Edition)]) -> &mut Self {
        let held =
            held.iter().map(|(name, edition)| ((*name).to_owned(), edition.shelf(kind).get(name).map(|it| it.token)));
        let subscribe = names.iter().map(|name| (*name).to_owned()).collect();
        let names = Names::Change { subscribe, unsubscribe: Vec::new(), held: held.collect() };
        self.ask(kind, names, String::new(), None);
        self
    }

    fn unchanged(&self, kind: Kind) -> Names {
        match self.mode {
            Mode::Sotw => Names::All(self.names.get(&kind).cloned().unwrap_or_default()),
            Mode::Delta => Names::Change { subscribe: vec![], unsubscribe: vec![], held: BTreeMap::new() },
        }
    }

    pub fn accepts(&mut self, kind: Kind) -> &mut Self {
        let (names, nonce) = (self.unchanged(kind), self.nonces[&kind].clone());
        assert!(matches!(self.ask(kind, names, nonce, None), Heard::Accepted { .. }), "{kind:?} was answered before");
        self
    }

    pub fn refuses(&mut self, kind: Kind) -> &mut Self {
        let (names, nonce) = (self.unchanged(kind), self.nonces[&kind].clone());
        let heard = self.ask(kind, names, nonce, Some("no"));
        assert!(matches!(heard, Heard::Refused { .. }), "{heard:?}");
        self
    }

    /// Refuses and wants something else in one request.
    pub fn refuses_and_wants(&mut self, kind: Kind, names: &[&str]) -> &mut Self {
        let (names, nonce) = (self.named(kind, names), self.nonces[&kind].clone());
        self.ask(kind, names, nonce, Some("no"));
        self
    }

    pub fn says_with(&mut self, kind: Kind, names: &[&str], nonce: &str) -> &mut Self {
        let names = self.named(kind, names);
        self.ask(kind, names, nonce.to_owned(), None);
        self
    }

    /// What it is told now, unanswered.
    pub fn hears(&mut self, edition: &Edition) -> Vec<Short> {
        let replies = self.engine.say(edition, self.now);
        let mut short = Vec::new();
        for reply in replies {
            let names: BTreeSet<_> = reply.changed.iter().map(|it| it.name.clone()).collect();
            assert_eq!(names.len(), reply.changed.len(), "B7: a name is twice in an answer");
            let before = self.nonces.insert(reply.kind, reply.nonce.clone());
            assert_ne!(before, Some(reply.nonce), "B2: each answer has a nonce of its own");
            let body = |it: &Arc<Resource>| format!("{}={}", it.name, String::from_utf8_lossy(&it.body));
            let mut parts: Vec<String> = reply.changed.iter().map(body).collect();
            parts.extend(reply.removed.iter().filter(|_| self.mode == Mode::Delta).map(|name| format!("-{name}")));
            parts.extend(reply.missing.iter().map(|name| format!("?{name}")));
            short.push((reply.kind, parts));
        }
        short
    }

    pub fn is_told_nothing(&mut self, edition: &Edition) -> &mut Self {
        assert_eq!(self.hears(edition), []);
        self
    }

    /// What it is told of one kind, and nothing of any other.
    pub fn is_told(&mut self, edition: &Edition, kind: Kind, parts: &[&str]) -> &mut Self {
        assert_eq!(self.hears(edition), [(kind, parts.iter().map(|part| (*part).to_owned()).collect())]);
        self
    }

    /// Accepts until there is nothing more to hear.
    pub fn settles(&mut self, edition: &Edition) -> Vec<Short> {
        let mut all = Vec::new();
        loop {
            let heard = self.hears(edition);
            if heard.is_empty() {
                return all;
            }
            for (kind, _) in &heard {
                self.accepts(*kind);
            }
            all.extend(heard);
        }
    }
}

pub fn told(rows: &[(Kind, &[&str])]) -> Vec<Short> {
    rows.iter().map(|(kind, parts)| (*kind, parts.iter().map(|part| (*part).to_owned()).collect())).collect()
}
