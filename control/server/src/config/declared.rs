//! What operators declare, from a file to an [`Intent`].
//!
//! In: `settings`, `routes` and `pools` as people write them. Out: an intent that does not contradict itself, or the key that is wrong.
//! Never here: where control listens and stores; `settings` has that.
//! Invariant: no message repeats the value of a header field.

use std::time::Duration;

use outrigger_control_core::intent::{Intent, IntentError, OperatorRoute};
use outrigger_model::name::{BadName, RouteName};
use outrigger_model::requirement::{BadRequirement, Requirement};
use outrigger_model::route::{Affinity, Limits, RoutePolicy, Timeouts};
use outrigger_model::traffic::Traffic;

use crate::config::file::{LimitsFile, MeshFile, RouteFile, TimeoutsFile};
use crate::config::pools::{self, PoolError, PoolFile};
use crate::config::rates::{self, RatesError};
use crate::config::retries::{self, RetriesError};
use crate::config::sessions::{self, SessionsError};
use crate::config::traffic::{self, Misplaced, TrafficError, Written};

/// The key that is wrong, and what to write instead.
#[derive(Debug, thiserror::Error)]
pub enum DeclaredError {
    #[error("routes[{at}].name")]
    RouteName {
        at: usize,
        #[source]
        cause: BadName,
    },
    #[error("routes[{at}] asks for what cannot be")]
    Requirement {
        at: usize,
        #[source]
        cause: BadRequirement,
    },
    #[error("routes[{at}].affinity: `{text}` is none of auto, agent, keys and none")]
    Affinity { at: usize, text: String },
    #[error("pools[{at}].{cause}")]
    Pool { at: usize, cause: PoolError },
    #[error("settings.{0}")]
    Sessions(SessionsError),
    #[error("routes[{at}].{cause}")]
    RouteSessions { at: usize, cause: SessionsError },
    #[error("routes[{at}].{place}")]
    RouteTraffic {
        at: usize,
        place: String,
        #[source]
        cause: TrafficError,
    },
    #[error("routes[{at}].retries.{cause}")]
    Retries { at: usize, cause: RetriesError },
    #[error("{list}[{at}].{cause}")]
    Rates { list: &'static str, at: usize, cause: RatesError },
    #[error("what is declared contradicts itself")]
    Intent(#[from] IntentError),
    #[error("what is declared cannot be written down")]
    Unwritable(#[source] serde_json::Error),
}

pub(super) fn intent(routes: Vec<RouteFile>, pools: Vec<PoolFile>, mesh: &MeshFile) -> Result<Intent, DeclaredError> {
    let routes = routes.into_iter().enumerate().map(|(at, route)| operator_route(at, &route));
    let routes = routes.collect::<Result<Vec<_>, _>>()?;
    let pools = pools.iter().enumerate();
    let pools = pools.map(|(at, file)| pools::pool(file).map_err(|cause| DeclaredError::Pool { at, cause }));
    let pools = pools.collect::<Result<Vec<_>, _>>()?;
    let settings = sessions::settings(mesh).map_err(DeclaredError::Sessions)?;
    Ok(Intent::new(routes, pools, settings)?)
}

fn operator_route(at: usize, route: &RouteFile) -> Result<OperatorRoute, DeclaredError> {
    let affinity = match &route.affinity {
        None => Affinity::default(),
        Some(text) => Affinity::parse(text).ok_or_else(|| DeclaredError::Affinity { at, text: text.clone() })?,
    };
    let bad = |cause| DeclaredError::Rates { list: "routes", at, cause };
    let priority = rates::priority(route.priority.as_deref()).map_err(bad)?;
    Ok(OperatorRoute {
        name: RouteName::new(&route.name).map_err(|cause| DeclaredError::RouteName { at, cause })?,
        requirement: Requirement::parse(&route.capability, route.version.as_deref(), &route.tags)
            .map_err(|cause| DeclaredError::Requirement { at, cause })?,
        policy: RoutePolicy {
            affinity,
            inspect: route.inspect,
            sessions: sessions::policy(route).map_err(|cause| DeclaredError::RouteSessions { at, cause })?,
            timeouts: timeouts(&route.timeouts),
            retries: retries::retries(&route.retries).map_err(|cause| DeclaredError::Retries { at, cause })?,
            rates: rates::rates(&route.rates).map_err(bad)?,
            traffic: Traffic { priority, ..Traffic::default() },
        },
        traffic: traffic::traffic(&Written {
            capability: &route.capability,
            split: &route.split,
            matches: &route.matches,
            mirror: route.mirror.as_ref(),
            faults: route.faults.as_ref(),
            headers: route.headers.as_ref(),
        })
        .map_err(|Misplaced { place, cause }| DeclaredError::RouteTraffic { at, place, cause })?,
    })
}

fn timeouts(file: &TimeoutsFile) -> Timeouts {
    let usual = Timeouts::default();
    Timeouts {
        connect: file.connect_ms.map_or(usual.connect, Duration::from_millis),
        quick: limits(&file.quick, usual.quick),
        call: limits(&file.call, usual.call),
        stream: limits(&file.stream, usual.stream),
        keep_alive: file.keep_alive_ms.map(Duration::from_millis),
    }
}

fn limits(file: &LimitsFile, usual: Limits) -> Limits {
    Limits {
        first_byte: file.first_byte_ms.map(Duration::from_millis).or(usual.first_byte),
        idle: file.idle_ms.map(Duration::from_millis).or(usual.idle),
        total: file.total_ms.map(Duration::from_millis).or(usual.total),
    }
}
