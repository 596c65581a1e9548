//! What has to wait for what, at clients that apply one resource after the other: nothing is taken away that calls still go to, and
//! no call is sent to what is not there yet.
//!
//! In: what a client holds of each kind, the newest edition, `now`. Out: the [`Fate`] of each name.
//! Never here: what a client asks for; that is given at once, whatever waits.
//! Invariant: nothing waits for longer than [`WAITS_MAX`] for a client that does not answer.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::stock::kind::Kind;
use crate::stock::shelf::Edition;
use crate::stock::topic::{Fate, Topic};

pub const WAITS_MAX: Duration = Duration::from_secs(5);

/// The clusters that calls of this client may still go to.
#[derive(Debug)]
enum InUse {
    These(BTreeSet<Arc<str>>),
    /// It has routes of which nobody knows where they lead.
    Any,
}

/// One look at one stream, for one kind of it, which `others` lacks.
pub struct Gates<'a> {
    pub others: &'a BTreeMap<Kind, Topic>,
    pub edition: &'a Edition,
    /// Since when routes wait for their clusters.
    pub blocked_since: Option<Instant>,
    pub now: Instant,
    in_use: InUse,
    left: Cell<usize>,
}

impl<'a> Gates<'a> {
    pub fn of(
        others: &'a BTreeMap<Kind, Topic>,
        edition: &'a Edition,
        blocked_since: Option<Instant>,
        now: Instant,
    ) -> Self {
        let in_use = in_use(others.get(&Kind::Route), edition, now);
        Self { others, edition, blocked_since, now, in_use, left: Cell::new(0) }
    }

    /// How many names were left for later.
    pub fn left(&self) -> usize {
        self.left.get()
    }

    pub fn fate(&self, topic: &Topic, kind: Kind, name: &str) -> Fate {
        let fate = match (kind, self.edition.shelf(kind).get(name)) {
            (Kind::Route, Some(resource)) if self.is_blocked(topic, resource) => Fate::Leave,
            (_, Some(resource)) => Fate::Give(Arc::clone(resource)),
            (Kind::Cluster, None) if self.is_in_use(name) && is_there(topic, name) => Fate::Leave,
            (Kind::Endpoints, None) if self.has_cluster(name) => Fate::Leave,
            (_, None) => Fate::Gone,
        };
        if matches!(fate, Fate::Leave) {
            self.left.set(self.left.get() + 1);
        }
        fate
    }

    fn is_in_use(&self, cluster: &str) -> bool {
        match &self.in_use {
            InUse::These(names) => names.contains(cluster),
            InUse::Any => true,
        }
    }

    fn has_cluster(&self, name: &str) -> bool {
        self.others.get(&Kind::Cluster).is_some_and(|clusters| clusters.get(name).is_some())
    }

    /// A route waits until the client accepted all that it leads to. Who asks for clusters by name learns of them from routes.
    fn is_blocked(&self, routes: &Topic, route: &crate::stock::shelf::Resource) -> bool {
        let Some(clusters) = self.others.get(&Kind::Cluster).filter(|clusters| clusters.wildcard()) else {
            return false;
        };
        let has = routes.get(&route.name).is_some_and(|held| held.has == Some(route.token));
        let is_late = self.blocked_since.is_some_and(|since| self.now.duration_since(since) >= WAITS_MAX);
        let is_accepted = |name: &Arc<str>| clusters.get(name).is_some_and(|held| held.accepted.is_some());
        !has && !is_late && !routes.owes(&route.name) && !route.leads_to.iter().all(is_accepted)
    }
}

/// It may go on with what it accepted, or with what it reported.
fn is_there(clusters: &Topic, name: &str) -> bool {
    clusters.get(name).is_some_and(|held| held.accepted.is_some() || clusters.is_delta() && held.has.is_some())
}

fn in_use(routes: Option<&Topic>, edition: &Edition, now: Instant) -> InUse {
    let mut names = BTreeSet::new();
    let Some(routes) = routes else { return InUse::These(names) };
    if routes.waiting.as_ref().is_some_and(|waiting| now.duration_since(waiting.since) >= WAITS_MAX) {
        return InUse::These(names);
    }
    for (name, held) in routes.held() {
        let newest = edition.shelf(Kind::Route).get(name);
        if newest.is_some()
            && held.accepted.as_ref().map(|it| it.token) == newest.map(|it| it.token)
            && held.has.is_some()
        {
            continue;
        }
        match held.may_run() {
            Some(running) => names.extend(running.iter().flat_map(|route| route.leads_to.iter().cloned())),
            None => return InUse::Any,
        }
    }
    InUse::These(names)
}
