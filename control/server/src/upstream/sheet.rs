//! What every dependency was resolved to in one picture of the facts; each is resolved once.
//!
//! In: a picture, and the sheet before it. Out: [`Resolved`]s that are the same objects for as long as they are equal.
//! Invariant: an agent that is not concerned by a change holds the same objects after it, so a comparison of pointers tells it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use outrigger_control_core::changes::{self, Change};
use outrigger_control_core::facts::Facts;
use outrigger_model::name::RouteName;
use outrigger_model::requirement::Dependency;

use crate::upstream::resolved::Resolved;
use crate::writer::Picture;

type Memo = Mutex<HashMap<RouteName, Arc<Resolved>>>;

/// One picture, with what was resolved in it so far.
#[derive(Debug)]
pub struct Sheet {
    pub picture: Arc<Picture>,
    /// Replicas that can be called without an identity: all that agents without a proxy are told of.
    pub plain: Facts,
    for_plain: Memo,
    for_mesh: Memo,
    /// Of the sheet before, to go on with what did not change.
    before: (HashMap<RouteName, Arc<Resolved>>, HashMap<RouteName, Arc<Resolved>>),
}

impl Sheet {
    pub fn first(picture: Arc<Picture>) -> Self {
        let mut plain = Facts::default();
        let all = picture.facts.standings().filter(|standing| standing.replica.identity.is_none());
        all.for_each(|standing| plain.put(standing.clone()));
        Self { picture, plain, for_plain: Memo::default(), for_mesh: Memo::default(), before: Default::default() }
    }

    pub fn next(&self, picture: Arc<Picture>, changes: &[Change<'_>]) -> Self {
        let mut plain = self.plain.clone();
        changes::follow(&mut plain, changes, |replica| replica.identity.is_none());
        let before = (copy(&self.for_plain), copy(&self.for_mesh));
        Self { picture, plain, for_plain: Memo::default(), for_mesh: Memo::default(), before }
    }

    /// For an agent without a proxy.
    pub fn plain(&self, need: &Dependency) -> Arc<Resolved> {
        once(&self.for_plain, &self.before.0, &self.plain, need)
    }

    /// For an agent with one.
    pub fn mesh(&self, need: &Dependency) -> Arc<Resolved> {
        once(&self.for_mesh, &self.before.1, &self.picture.mesh, need)
    }

    pub fn for_replica(&self, is_direct: bool, need: &Dependency) -> Arc<Resolved> {
        if is_direct { self.plain(need) } else { self.mesh(need) }
    }
}

fn copy(memo: &Memo) -> HashMap<RouteName, Arc<Resolved>> {
    memo.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn once(memo: &Memo, before: &HashMap<RouteName, Arc<Resolved>>, facts: &Facts, need: &Dependency) -> Arc<Resolved> {
    let known = memo.lock().unwrap_or_else(PoisonError::into_inner).get(&need.alias).cloned();
    if let Some(known) = known {
        return known;
    }
    let made = Resolved::of(facts, &need.alias, &need.requirement);
    let kept = before.get(&need.alias).filter(|before| ***before == made).cloned();
    let kept = kept.unwrap_or_else(|| Arc::new(made));
    let mut memo = memo.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(memo.entry(need.alias.clone()).or_insert(kept))
}
