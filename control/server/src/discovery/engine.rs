//! Decides what one discovery stream is told, and when: delta discovery, with a Manifest that closes each burst.
//!
//! In: requests ([`Ask`]), the newest edition of the stream's view, `now`. Out: answers to write ([`Say`]), and what was
//! learned of the client ([`Heard`]).
//! Never here: sockets, clocks, protobuf.
//! Invariant: at most one answer per topic waits for its client, and at most one Manifest; while one waits, its edition
//! stays the target, so that churn cannot starve a client of a whole snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use outrigger_model::resource::{Serial, Token};

use crate::discovery::subscription::{Changes, Pending, Subscription, TooManyNames};
use crate::publish::edition::{Edition, SELF, Shelf, Topic};

/// One request of a client.
#[derive(Debug, Clone)]
pub struct Ask {
    pub topic: Topic,
    pub subscribe: Vec<String>,
    pub unsubscribe: Vec<String>,
    /// What it holds already, from an earlier stream; none: a token that is not of our making.
    pub held: BTreeMap<String, Option<Token>>,
    /// Names the answer that this request accepts or refuses; empty: neither.
    pub nonce: String,
    pub refusal: Option<String>,
}

/// What a request told about its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Nothing,
    /// It opened with the Manifest of this token: it runs that snapshot, whoever sent it.
    Runs(Token),
    /// It accepted the Manifest of this serial, which means that it runs it.
    Applied(Serial),
    Refused(Refusal),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub topic: Topic,
    pub serial: Serial,
    /// In the client's words.
    pub detail: String,
}

/// One answer, which may be written as several frames.
#[derive(Debug, Clone)]
pub struct Say {
    pub topic: Topic,
    pub edition: Arc<Edition>,
    pub what: What,
    /// The answer's nonce; its frames append their number to it.
    pub nonce: String,
}

#[derive(Debug, Clone)]
pub enum What {
    /// Equal for all streams that hold the same shelf, or nothing.
    Since(Option<Arc<Shelf>>),
    Own(Changes),
    /// The Manifest's name and token without its body: nothing changed, and control lives.
    StillTrue,
}

/// The state of one stream.
#[derive(Debug, Default)]
pub struct Engine {
    topics: BTreeMap<Topic, Watched>,
    /// Of the last answer; nonces are unique on the stream.
    last: u64,
    /// The last snapshot at which nothing was left to say.
    settled: Option<Serial>,
    /// The nonce of the last refresh. It is not waited for; if it is refused, the client lost the Manifest.
    refresh: String,
}

#[derive(Debug)]
struct Watched {
    subscription: Subscription,
    waiting: Option<Waiting>,
}

/// An answer that was not accepted or refused yet.
#[derive(Debug)]
struct Waiting {
    nonce: String,
    /// Frames that the answer was written as, and how many of them were answered.
    frames: usize,
    answered: usize,
    edition: Arc<Edition>,
    what: What,
    since: Instant,
}

impl Engine {
    pub fn hear(&mut self, ask: Ask) -> Result<Heard, TooManyNames> {
        let heard = self.hear_answer(ask.topic, &ask.nonce, ask.refusal);
        if !ask.subscribe.is_empty() || !ask.unsubscribe.is_empty() || heard != Heard::Nothing {
            self.settled = None;
        }
        match self.topics.get_mut(&ask.topic) {
            Some(watched) => watched.subscription.change(ask.subscribe, ask.unsubscribe)?,
            None => {
                let reported = (ask.topic == Topic::Manifest).then(|| ask.held.get(SELF).copied()).flatten().flatten();
                let mut subscription = Subscription::open(ask.subscribe, ask.held)?;
                subscription.change(Vec::new(), ask.unsubscribe)?;
                self.topics.insert(ask.topic, Watched { subscription, waiting: None });
                self.settled = None;
                return Ok(reported.map_or(heard, Heard::Runs));
            }
        }
        Ok(heard)
    }

    fn hear_answer(&mut self, topic: Topic, nonce: &str, refusal: Option<String>) -> Heard {
        if nonce.is_empty() {
            return Heard::Nothing;
        }
        if topic == Topic::Manifest && nonce == self.refresh {
            return self.hear_refresh(refusal);
        }
        let Some(watched) = self.topics.get_mut(&topic) else { return Heard::Nothing };
        // Frames of one answer are `<nonce>` or `<nonce>.<number>`; anything else is stale and only that.
        let Some(waiting) = watched.waiting.as_mut().filter(|waiting| waiting.is_named(nonce)) else {
            return Heard::Nothing;
        };
        waiting.answered += 1;
        let serial = waiting.edition.serial;
        if let Some(detail) = refusal {
            let answer = waiting.names(topic);
            watched.subscription.refused(answer);
            watched.settle();
            if topic == Topic::Manifest {
                self.topics.values_mut().for_each(|watched| watched.subscription.roll_back());
            }
            return Heard::Refused(Refusal { topic, serial, detail });
        }
        watched.settle();
        if topic == Topic::Manifest {
            self.topics.values_mut().for_each(|watched| watched.subscription.commit());
            return Heard::Applied(serial);
        }
        Heard::Nothing
    }

    fn hear_refresh(&mut self, refusal: Option<String>) -> Heard {
        if refusal.is_some()
            && let Some(watched) = self.topics.get_mut(&Topic::Manifest)
        {
            // It came after the Manifest's time to live: the client dropped what it refreshes.
            watched.subscription.lost(SELF);
            self.settled = None;
            self.refresh.clear();
        }
        Heard::Nothing
    }

    /// Whether nothing that was written still waits for its answer.
    pub fn is_quiet(&self) -> bool {
        self.topics.values().all(|watched| watched.waiting.is_none())
    }

    /// Editions are of another view from now on. Serials of shelves say nothing across views, tokens do. Only while it is quiet.
    pub fn moved(&mut self) {
        self.settled = None;
        self.refresh.clear();
        self.topics.values_mut().for_each(|watched| watched.subscription.moved());
    }

    /// What to write now. `frames` encodes an answer and says into how many frames; it is called once per answer, in order.
    pub fn say(&mut self, newest: &Arc<Edition>, now: Instant, mut frames: impl FnMut(&Say) -> usize) -> Vec<Say> {
        let burst = match self.manifest_in_flight() {
            Some(target) => self.answers(&target, true),
            None if self.topics.contains_key(&Topic::Manifest) => self.burst(newest),
            None => self.answers(newest, false),
        };
        burst
            .into_iter()
            .map(|(topic, edition, pending)| self.send(topic, edition, pending, now, &mut frames))
            .collect()
    }

    fn manifest_in_flight(&self) -> Option<Arc<Edition>> {
        let waiting = self.topics.get(&Topic::Manifest)?.waiting.as_ref()?;
        Some(Arc::clone(&waiting.edition))
    }

    /// Answers that do not have to wait for a Manifest. `asked`: only to what the client asked.
    fn answers(&self, edition: &Arc<Edition>, asked: bool) -> Vec<(Topic, Arc<Edition>, Pending)> {
        let free = self.topics.iter().filter(|(topic, watched)| {
            **topic != Topic::Manifest && watched.waiting.is_none() && (!asked || watched.subscription.is_asking())
        });
        free.map(|(topic, watched)| {
            (*topic, Arc::clone(edition), watched.subscription.pending(edition.shelf(*topic), false))
        })
        .filter(|(_, _, pending)| !matches!(pending, Pending::Nothing))
        .collect()
    }

    /// The changes of all topics and the Manifest last, or nothing of it while an answer is in the way.
    fn burst(&mut self, newest: &Arc<Edition>) -> Vec<(Topic, Arc<Edition>, Pending)> {
        if self.settled == Some(newest.serial) && !self.topics.values().any(|it| it.subscription.is_asking()) {
            return Vec::new();
        }
        let manifest = self.topics.get(&Topic::Manifest).map(|it| it.subscription.pending(&newest.manifest, false));
        let along = !matches!(manifest, None | Some(Pending::Nothing));
        let pending = |(topic, watched): (&Topic, &Watched)| {
            (*topic, Arc::clone(newest), watched.subscription.pending(newest.shelf(*topic), along))
        };
        let mut burst: Vec<_> = self.topics.iter().map(pending).collect();
        burst.retain(|(_, _, pending)| !matches!(pending, Pending::Nothing));
        let in_the_way = |topic: &Topic| self.topics.get(topic).is_some_and(|watched| watched.waiting.is_some());
        if burst.iter().any(|(topic, _, _)| in_the_way(topic)) {
            return self.answers(newest, true);
        }
        if burst.is_empty() && !self.topics.values().any(|it| it.subscription.is_in_doubt() || it.waiting.is_some()) {
            self.settle(newest);
        }
        burst
    }

    /// Nothing is left to say: forget how the client got here, and share what all current clients hold.
    fn settle(&mut self, newest: &Edition) {
        self.settled = Some(newest.serial);
        for (topic, watched) in &mut self.topics {
            watched.subscription.told(newest.shelf(*topic), &Pending::Nothing);
            watched.subscription.commit();
        }
    }

    fn send(
        &mut self,
        topic: Topic,
        edition: Arc<Edition>,
        pending: Pending,
        now: Instant,
        mut frames: impl FnMut(&Say) -> usize,
    ) -> Say {
        let nonce = self.nonce(edition.serial);
        self.settled = None;
        let what = match &pending {
            Pending::Nothing => What::Own(Changes::default()),
            Pending::Since(from) => What::Since(from.clone()),
            Pending::Own(changes) => What::Own(changes.clone()),
        };
        let say = Say { topic, edition, what, nonce };
        if let Some(watched) = self.topics.get_mut(&topic) {
            watched.subscription.told(say.edition.shelf(topic), &pending);
            watched.waiting = Some(Waiting {
                nonce: say.nonce.clone(),
                frames: frames(&say),
                answered: 0,
                edition: Arc::clone(&say.edition),
                what: say.what.clone(),
                since: now,
            });
        }
        say
    }

    /// A sign of life, if nothing is on its way: that the Manifest still stands, or, to a client that refused it, nothing.
    /// Silence would make that client come again and refuse the same snapshot again.
    pub fn refresh(&mut self, newest: &Arc<Edition>) -> Option<Say> {
        let watched = self.topics.get(&Topic::Manifest)?;
        let is_quiet = matches!(watched.subscription.pending(&newest.manifest, false), Pending::Nothing);
        if watched.waiting.is_some() || !is_quiet {
            return None;
        }
        let is_in_doubt = watched.subscription.is_in_doubt();
        let nonce = self.nonce(newest.serial);
        let what = if is_in_doubt {
            What::Own(Changes::default())
        } else {
            self.refresh.clone_from(&nonce);
            What::StillTrue
        };
        Some(Say { topic: Topic::Manifest, edition: Arc::clone(newest), what, nonce })
    }

    fn nonce(&mut self, serial: Serial) -> String {
        self.last = self.last.wrapping_add(1);
        format!("{serial}.{}", self.last)
    }

    /// Since when the oldest unanswered answer waits.
    pub fn waits_since(&self) -> Option<Instant> {
        self.topics.values().filter_map(|watched| watched.waiting.as_ref()).map(|waiting| waiting.since).min()
    }

    /// Whether the client asked for a Manifest, and so applies snapshots whole.
    pub fn wants_manifest(&self) -> bool {
        self.topics.contains_key(&Topic::Manifest)
    }
}

impl Watched {
    fn settle(&mut self) {
        if self.waiting.as_ref().is_some_and(|waiting| waiting.answered >= waiting.frames) {
            self.waiting = None;
        }
    }
}

impl Waiting {
    fn is_named(&self, nonce: &str) -> bool {
        match nonce.strip_prefix(self.nonce.as_str()) {
            Some("") => true,
            Some(rest) => rest.strip_prefix('/').is_some_and(|number| number.parse::<usize>().is_ok()),
            None => false,
        }
    }

    /// Everything in the answer, with the token that was sent; none: its removal.
    fn names(&self, topic: Topic) -> Vec<(String, Option<Token>)> {
        let shelf = self.edition.shelf(topic);
        let changes = match &self.what {
            What::Since(from) => Changes::between(from.as_deref(), shelf),
            What::Own(changes) => changes.clone(),
            What::StillTrue => Changes::default(),
        };
        let names = changes.changed.into_iter().chain(changes.removed);
        names.map(|name| (name.clone(), shelf.token(&name))).collect()
    }
}

#[cfg(test)]
mod tests;
