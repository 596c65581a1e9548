//! The counters of each route, looked up once per call by name.
//!
//! In: direction and route name. Out: [`RouteMeters`], whose counters need no further look-up in the common case.
//! Invariant: reading takes no lock; the map holds at most [`ROUTES_MAX`] names, all others share one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use prometheus_client::metrics::counter::Counter;

use super::histogram::Durations;
use super::labels::{CallEnd, CallLabels, Code, Direction, RouteLabels};
use super::metrics::Metrics;

const ROUTES_MAX: usize = 5_000;
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
    growing: Mutex<()>,
    none: Arc<RouteMeters>,
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
        Self { direction, metrics: metrics.clone(), known: ArcSwap::default(), growing: Mutex::new(()), none }
    }

    /// Does `act` with the meters of `route`, which must be a name from the world.
    pub(super) fn with<T>(&self, route: Option<&str>, act: impl FnOnce(&RouteMeters) -> T) -> T {
        let Some(route) = route else { return act(&self.none) };
        if let Some(meters) = self.known.load().get(route) {
            return act(meters);
        }
        act(&self.grown(route))
    }

    fn grown(&self, route: &str) -> Arc<RouteMeters> {
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.load_full();
        let name = if known.len() < ROUTES_MAX { route } else { OTHER };
        if let Some(meters) = known.get(name) {
            return Arc::clone(meters);
        }
        let name: Arc<str> = Arc::from(name);
        let meters = Arc::new(RouteMeters::new(&self.metrics, self.direction, Arc::clone(&name)));
        let mut larger = Meters::clone(&known);
        larger.insert(name, Arc::clone(&meters));
        self.known.store(Arc::new(larger));
        meters
    }
}
