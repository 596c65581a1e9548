//! The counters of each route, looked up once per call by name.
//!
//! In: direction and route name. Out: [`RouteMeters`], whose counters need no further look-up in the common case.
//! A name that is new is kept aside and joins the others when that has become worth a copy of the map, so that the first use of many
//! names costs as much for each as the first use of few.
//! Invariant: reading a name that is not new takes no lock; at most [`ROUTES_MAX`] names have meters of their own, all others share one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use prometheus_client::metrics::counter::Counter;

use super::histogram::Durations;
use super::labels::{CallLabels, RouteLabels};
use super::metrics::Metrics;
use super::values::{CallEnd, Code, Direction};

const ROUTES_MAX: usize = 5_000;
/// Names that are remembered with their meters, their own or those that they share; for the rest nothing is remembered.
const NAMES_MAX: usize = 20_000;
/// Stands for calls that no route took.
const NO_ROUTE: &str = "_none";
/// Stands for the names above the limit.
const OTHER: &str = "_other";

/// What is counted for one route in one direction.
pub(super) struct RouteMeters {
    labels: RouteLabels,
    /// Answers with 200 and 202; made when the first of them comes, so that no series stands for nothing.
    ok: OnceLock<Counter>,
    accepted: OnceLock<Counter>,
    pub(super) duration: Durations,
    pub(super) first_byte: Durations,
}

type Meters = HashMap<Arc<str>, Arc<RouteMeters>>;

/// The meters of one direction.
pub(super) struct RouteTable {
    direction: Direction,
    metrics: Metrics,
    known: ArcSwap<Meters>,
    fresh: Mutex<Fresh>,
    none: Arc<RouteMeters>,
    other: OnceLock<Arc<RouteMeters>>,
}

/// Names that are not among the known yet.
#[derive(Default)]
struct Fresh {
    meters: Meters,
    /// How often they were asked for since the last of them joined the known.
    asked: usize,
}

impl RouteMeters {
    fn new(metrics: &Metrics, direction: Direction, route: Arc<str>) -> Self {
        let labels = RouteLabels { direction, route };
        Self {
            ok: OnceLock::new(),
            accepted: OnceLock::new(),
            duration: metrics.call_duration.get_or_create_owned(&labels),
            first_byte: metrics.first_byte.get_or_create_owned(&labels),
            labels,
        }
    }

    /// Counts one call that ended.
    pub(super) fn count(&self, metrics: &Metrics, end: CallEnd, status: u16) {
        let cell = match (end, status) {
            (CallEnd::Answered, 200) => &self.ok,
            (CallEnd::Answered, 202) => &self.accepted,
            // Rare enough for a look-up under the lock of the family.
            _ => {
                metrics.calls.get_or_create(&call_labels(&self.labels, end, status)).inc();
                return;
            }
        };
        let made = || metrics.calls.get_or_create_owned(&call_labels(&self.labels, end, status));
        cell.get_or_init(made).inc();
    }
}

fn call_labels(route: &RouteLabels, end: CallEnd, status: u16) -> CallLabels {
    // All refusals are one outcome here, else the reason would multiply the series of every route.
    let outcome = if let CallEnd::Refused(_) = end { CallEnd::Refused("") } else { end };
    CallLabels { direction: route.direction, route: Arc::clone(&route.route), outcome, code: Code::of(status) }
}

impl RouteTable {
    pub(super) fn new(metrics: &Metrics, direction: Direction) -> Self {
        let none = Arc::new(RouteMeters::new(metrics, direction, Arc::from(NO_ROUTE)));
        Self {
            direction,
            metrics: metrics.clone(),
            known: ArcSwap::default(),
            fresh: Mutex::default(),
            none,
            other: OnceLock::new(),
        }
    }

    /// Does `act` with the meters of `route`, which must be a name from the world.
    pub(super) fn with<T>(&self, route: Option<&str>, act: impl FnOnce(&RouteMeters) -> T) -> T {
        let Some(route) = route else { return act(&self.none) };
        let known = self.known.load();
        if let Some(meters) = known.get(route) {
            return act(meters);
        }
        if known.len() >= NAMES_MAX {
            return act(self.other());
        }
        drop(known);
        act(&self.fresh(route))
    }

    /// All meters that there are, each once.
    pub(super) fn each(&self, mut see: impl FnMut(&RouteMeters)) {
        // Held so that no name moves from one map to the other meanwhile.
        let fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.load();
        let other = self.other.get();
        let is_own = |meters: &&Arc<RouteMeters>| other.is_none_or(|other| !Arc::ptr_eq(meters, other));
        for meters in known.values().chain(fresh.meters.values()).filter(is_own) {
            see(meters);
        }
        see(&self.none);
        if let Some(other) = other {
            see(other);
        }
    }

    fn fresh(&self, route: &str) -> Arc<RouteMeters> {
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.load_full();
        // It may have joined the known while we waited.
        if let Some(meters) = known.get(route).or_else(|| fresh.meters.get(route)) {
            let meters = Arc::clone(meters);
            self.join_when_worth_it(&mut fresh, &known);
            return meters;
        }
        let name: Arc<str> = Arc::from(route);
        let meters = if known.len() + fresh.meters.len() < ROUTES_MAX {
            Arc::new(RouteMeters::new(&self.metrics, self.direction, Arc::clone(&name)))
        } else {
            Arc::clone(self.other())
        };
        fresh.meters.insert(name, Arc::clone(&meters));
        self.join_when_worth_it(&mut fresh, &known);
        meters
    }

    /// A copy of the map is worth it once the new names were asked for as often as it has entries.
    fn join_when_worth_it(&self, fresh: &mut Fresh, known: &Meters) {
        fresh.asked += 1;
        if fresh.asked >= known.len() && !fresh.meters.is_empty() {
            let mut larger = known.clone();
            larger.extend(fresh.meters.drain());
            fresh.asked = 0;
            self.known.store(Arc::new(larger));
        }
    }

    fn other(&self) -> &Arc<RouteMeters> {
        let made = || Arc::new(RouteMeters::new(&self.metrics, self.direction, Arc::from(OTHER)));
        self.other.get_or_init(made)
    }
}

#[cfg(test)]
mod tests;
