//! Finds who provides what the traffic of a route asks for, and makes a pool of each.
//!
//! In: an operator's route. Out: [`Traffic`] that names pools of the draft; what nobody provides is an empty pool.
//! Invariant: a pool is named after what was asked for and not after its place in a list, so that a change of weights, of order or of
//! conditions leaves the pools as they are.

use outrigger_model::digest::Digest;
use outrigger_model::name::{AgentName, PoolName, RouteName};
use outrigger_model::requirement::Requirement;
use outrigger_model::requirement::also::Also;
use outrigger_model::traffic::{Branch, HeaderEdits, Mirror, Share, Traffic};

use crate::facts::Facts;
use crate::intent::OperatorRoute;
use crate::intent::traffic::OperatorBranch;
use crate::resolve::{Winner, resolve};

use super::{BuildError, Draft, derived_name};

/// Letters of a digest in the name of a pool: enough for the few requirements of one route.
const MARK_LETTERS: usize = 8;

/// The pool of a share or a mirror, as `build` names it.
fn pool_name(
    facts: &Facts,
    route: &RouteName,
    requirement: &Requirement,
    winner: Option<&Winner<'_>>,
) -> Result<PoolName, BuildError> {
    if let Some(winner) = winner.filter(|winner| winner.is_whole_agent) {
        return Ok(PoolName::new(winner.agent.as_str())?);
    }
    let mark: String = Digest::of(requirement.to_string().as_bytes()).to_string().chars().take(MARK_LETTERS).collect();
    let agent = winner.map_or("none", |winner| winner.agent.as_str());
    Ok(derived_name(facts, route, &format!("{agent}-{mark}"))?)
}

impl Draft<'_> {
    /// Of a route that somebody else claimed nothing is made.
    pub(super) fn traffic(&mut self, route: &OperatorRoute) -> Result<Traffic, BuildError> {
        let (name, written) = (&route.name, &route.traffic);
        let priority = route.policy.traffic.priority;
        if self.kinds.contains_key(name) {
            return Ok(Traffic { priority, ..Traffic::default() });
        }
        let branches = written.branches.iter().map(|branch| self.branch(name, branch));
        let branches = branches.collect::<Result<_, _>>()?;
        let mirror = match &written.mirror {
            Some(mirror) => Some(Mirror { pool: self.provider(name, &mirror.requirement)?, percent: mirror.percent }),
            None => None,
        };
        Ok(Traffic { branches, mirror, faults: written.faults, headers: self.shown(&written.headers), priority })
    }

    fn branch(&mut self, route: &RouteName, branch: &OperatorBranch) -> Result<Branch, BuildError> {
        let shares = branch
            .shares
            .iter()
            .map(|share| Ok(Share { pool: self.provider(route, &share.requirement)?, weight: share.weight }));
        Ok(Branch { shares: shares.collect::<Result<_, BuildError>>()?, when: branch.when.clone() })
    }

    /// Whatever it says, it is of the namespace of the route.
    fn provider(&mut self, route: &RouteName, requirement: &Requirement) -> Result<PoolName, BuildError> {
        let also = Also { namespace: Some(self.namespace.clone()), ..requirement.also.clone() };
        let winner = resolve(self.facts, &Requirement { also, ..requirement.clone() });
        let pool = pool_name(self.facts, route, requirement, winner.as_ref())?;
        match winner {
            Some(winner) => self.pool(pool.clone(), winner.agent, &winner.replicas().collect::<Vec<_>>()),
            None => self.pool(pool.clone(), &AgentName::new(requirement.capability.as_str())?, &[]),
        }
        Ok(pool)
    }

    /// Values of header fields are for proxies only.
    fn shown(&self, headers: &HeaderEdits) -> HeaderEdits {
        if self.shows_secrets { headers.clone() } else { headers.without_values() }
    }
}
