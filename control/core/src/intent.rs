//! What operators declare: routes of their own, how pools balance, settings of the mesh.
//!
//! In: parts that are valid each. Out: an [`Intent`] that does not contradict itself.
//! Never here: files; the server reads those.

pub mod traffic;
pub mod record;
pub mod history;
mod pools;

use std::collections::BTreeMap;
use std::time::Duration;

use outrigger_model::digest::Digest;
use outrigger_model::name::{AgentName, RouteName};
use outrigger_model::pool::Balance;
use outrigger_model::pool::policy::PoolPolicy;
use outrigger_model::requirement::Requirement;
use outrigger_model::route::{Limits, RoutePolicy, TimeClass};
use outrigger_model::settings::Settings;
use outrigger_model::tag::TagSet;

use self::traffic::OperatorTraffic;
pub use pools::PoolFault;

/// Most routes that operators declare.
pub const ROUTES_MAX: usize = 10_000;
/// Most pools with rules of their own.
pub const POOLS_MAX: usize = 10_000;
/// Longest timeout of a route; what may take longer needs no limit.
const TIMEOUT_MAX: Duration = Duration::from_secs(365 * 86_400);
const SESSION_IDLE_MAX: Duration = Duration::from_secs(30 * 86_400);
const SESSION_LIFETIME_MAX: Duration = Duration::from_secs(365 * 86_400);

/// A name that operators give to a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorRoute {
    pub name: RouteName,
    pub requirement: Requirement,
    pub policy: RoutePolicy,
    /// What becomes [`RoutePolicy::traffic`] once it is known who provides it.
    pub traffic: OperatorTraffic,
}

/// Rules for the replicas of one agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperatorPool {
    pub balance: Balance,
    pub policy: PoolPolicy,
    /// Which replicas are preferred: those with all tags of the first list come first, then those of the second, then all others.
    pub tiers: Vec<TagSet>,
}

/// All that operators declare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intent {
    routes: BTreeMap<RouteName, OperatorRoute>,
    pools: BTreeMap<AgentName, OperatorPool>,
    settings: Settings,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    #[error("routes: `{0}` is declared twice")]
    RouteTwice(RouteName),
    #[error("routes: {0} are more than {ROUTES_MAX}")]
    ManyRoutes(usize),
    #[error("routes: `{route}` has a timeout `{limit}` of zero, which would fail every call")]
    ZeroTimeout { route: RouteName, limit: String },
    #[error("routes: `{route}` has a timeout `{limit}` of more than {} days", TIMEOUT_MAX.as_secs() / 86_400)]
    LongTimeout { route: RouteName, limit: String },
    #[error("pools: agent `{0}` has two rules")]
    PoolTwice(AgentName),
    #[error("pools: {0} are more than {POOLS_MAX}")]
    ManyPools(usize),
    #[error("pools: agent `{agent}`: {cause}")]
    Pool { agent: AgentName, cause: PoolFault },
    #[error("settings: a session may be idle for 1 second to 30 days, not {0:?}")]
    SessionIdle(Duration),
    #[error("settings: a session may live for as long as it may be idle, up to 365 days, not for {0:?}")]
    SessionLifetime(Duration),
}

impl Intent {
    pub fn new(
        routes: Vec<OperatorRoute>,
        pools: Vec<(AgentName, OperatorPool)>,
        settings: Settings,
    ) -> Result<Self, IntentError> {
        if routes.len() > ROUTES_MAX {
            return Err(IntentError::ManyRoutes(routes.len()));
        }
        if pools.len() > POOLS_MAX {
            return Err(IntentError::ManyPools(pools.len()));
        }
        if !(Duration::from_secs(1)..=SESSION_IDLE_MAX).contains(&settings.session_idle) {
            return Err(IntentError::SessionIdle(settings.session_idle));
        }
        if !(settings.session_idle..=SESSION_LIFETIME_MAX).contains(&settings.session_lifetime) {
            return Err(IntentError::SessionLifetime(settings.session_lifetime));
        }
        let mut intent = Self { settings, ..Self::default() };
        for route in routes {
            check_timeouts(&route)?;
            let name = route.name.clone();
            if intent.routes.insert(name.clone(), route).is_some() {
                return Err(IntentError::RouteTwice(name));
            }
        }
        for (agent, pool) in pools {
            pools::check(&pool.policy, pool.tiers.len())
                .map_err(|cause| IntentError::Pool { agent: agent.clone(), cause })?;
            if intent.pools.insert(agent.clone(), pool).is_some() {
                return Err(IntentError::PoolTwice(agent));
            }
        }
        Ok(intent)
    }

    /// Sorted by name.
    pub fn routes(&self) -> impl Iterator<Item = &OperatorRoute> {
        self.routes.values()
    }

    /// The route that operators declared under this name.
    pub fn route(&self, name: &str) -> Option<&OperatorRoute> {
        self.routes.get(name)
    }

    /// How calls are spread over the replicas of an agent, if operators say it.
    pub fn pool(&self, agent: &AgentName) -> Option<&OperatorPool> {
        self.pools.get(agent)
    }

    /// Sorted by agent.
    pub fn pools(&self) -> impl Iterator<Item = (&AgentName, &OperatorPool)> {
        self.pools.iter()
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Equal for equal intents; a restart with another file is noticed by it.
    pub fn digest(&self) -> Digest {
        let mut parts = vec![format!("{:?}", self.settings)];
        for route in self.routes.values() {
            let OperatorRoute { name, requirement, policy, traffic } = route;
            parts.push(format!("route {name} {requirement} {policy:?} {traffic:?}"));
            // What is debugged shows no values of headers, and another value is another intent.
            let headers = &traffic.headers;
            parts.extend(headers.set.iter().chain(&headers.add).map(|(name, value)| format!("{name}: {value}")));
        }
        parts.extend(self.pools.iter().map(|(agent, pool)| format!("pool {agent} {pool:?}")));
        Digest::of_parts(parts.iter().map(String::as_bytes))
    }
}

fn check_timeouts(route: &OperatorRoute) -> Result<(), IntentError> {
    let timeouts = &route.policy.timeouts;
    check_timeout(route, Some(timeouts.connect), || "connect".to_owned())?;
    check_timeout(route, timeouts.keep_alive, || "keep_alive".to_owned())?;
    for class in TimeClass::ALL {
        let Limits { first_byte, idle, total } = timeouts.of(class);
        for (phase, limit) in [("first_byte", first_byte), ("idle", idle), ("total", total)] {
            check_timeout(route, limit, || format!("{}.{phase}", class.as_str()))?;
        }
    }
    Ok(())
}

fn check_timeout(
    route: &OperatorRoute,
    limit: Option<Duration>,
    name: impl FnOnce() -> String,
) -> Result<(), IntentError> {
    match limit {
        Some(limit) if limit.is_zero() => Err(IntentError::ZeroTimeout { route: route.name.clone(), limit: name() }),
        Some(limit) if limit > TIMEOUT_MAX => {
            Err(IntentError::LongTimeout { route: route.name.clone(), limit: name() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
