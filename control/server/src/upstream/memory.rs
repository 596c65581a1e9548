//! What is remembered of agents beside the facts: since when each is known, what it depends on, what happened.
//!
//! In: changes between two pictures. Out: the same, found by replica.
//! Never here: facts themselves.
//! Invariant: nothing is remembered of a replica that the facts do not hold, except lines of the trail.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use outrigger_control_core::changes::Change;
use outrigger_control_core::facts::{Facts, Standing};
use outrigger_model::name::ReplicaId;
use outrigger_model::registration::Registration;
use outrigger_model::requirement::Dependency;
use outrigger_upstream::needs;

use crate::upstream::resolved::Resolved;
use crate::upstream::trail::Trail;

/// One agent that registered what it depends on.
#[derive(Debug, Clone)]
pub struct Consumer {
    pub registration: Arc<Registration>,
    pub needs: Arc<Vec<Need>>,
    /// What each was resolved to when it was looked at last; empty: never.
    pub last: Vec<Arc<Resolved>>,
}

/// One dependency of one function.
#[derive(Debug, Clone)]
pub struct Need {
    /// Which function of the registration.
    pub function: usize,
    /// Which dependency of it; none for a model and for tools.
    pub at: Option<usize>,
    pub dependency: Dependency,
}

#[derive(Debug, Default)]
pub struct Remembered {
    pub trail: Trail,
    pub since: HashMap<ReplicaId, SystemTime>,
    pub consumers: HashMap<ReplicaId, Consumer>,
}

/// Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<Remembered>>);

impl Memory {
    /// Begins with facts that were there before; nothing happened to them yet.
    pub fn begin(facts: &Facts, at: SystemTime) -> Self {
        let mut remembered = Remembered::default();
        facts.standings().for_each(|standing| remembered.know(standing, at));
        Self(Arc::new(Mutex::new(remembered)))
    }

    pub fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn change(&self, changes: &[Change<'_>], at: SystemTime) {
        let mut remembered = self.lock();
        for change in changes {
            remembered.trail.change(change, at);
            match change {
                Change::Came(is) | Change::Turned { is, .. } => remembered.know(is, at),
                Change::Went(was) => {
                    remembered.since.remove(&was.replica.id);
                    remembered.consumers.remove(&was.replica.id);
                }
            }
        }
    }
}

impl Remembered {
    fn know(&mut self, standing: &Standing, at: SystemTime) {
        let replica = &standing.replica;
        self.since.entry(replica.id.clone()).or_insert(at);
        let Some(registration) = &replica.registration else {
            self.consumers.remove(&replica.id);
            return;
        };
        let held = self.consumers.get(&replica.id);
        if held.is_some_and(|held| Arc::ptr_eq(&held.registration, registration)) {
            return;
        }
        let needs = needs_of(registration);
        if needs.is_empty() {
            self.consumers.remove(&replica.id);
            return;
        }
        let last = held.map(|held| held.last.clone()).filter(|last| last.len() == needs.len()).unwrap_or_default();
        let consumer = Consumer { registration: Arc::clone(registration), needs: Arc::new(needs), last };
        self.consumers.insert(replica.id.clone(), consumer);
    }
}

fn needs_of(registration: &Registration) -> Vec<Need> {
    let mut all = Vec::new();
    for (function, declared) in registration.functions.iter().enumerate() {
        for (at, requirement) in needs::of_function(declared).enumerate() {
            let Ok(alias) = needs::route(requirement) else { continue };
            let dependency = Dependency { alias, requirement: requirement.clone() };
            all.push(Need { function, at: (at < declared.needs.len()).then_some(at), dependency });
        }
    }
    all
}
