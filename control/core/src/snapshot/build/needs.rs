//! The dependencies of a watcher: a route for each, and a wiring for those of agents of mcp-mesh.
//!
//! In: a local name and a requirement. Out: a route, its pool, and what the agent is told.
//! Rules: agents that tie share one pool. An endpoint says what its function is named where the caller knows it by another name.
//! Arguments of functions may hold headers with secrets; who only looks is not shown them.

use outrigger_model::endpoint::Endpoint;
use outrigger_model::name::{CapabilityName, PoolName, RouteName};
use outrigger_model::requirement::Requirement;
use outrigger_model::requirement::also::Reach;
use outrigger_model::route::RoutePolicy;

use crate::resolve::wiring::wiring;
use crate::resolve::{Winner, winners};

use super::{BuildError, Draft, RouteKind, derived_name, endpoint, newest_offer, pool_name};

impl Draft<'_> {
    pub(super) fn need(&mut self, route: &RouteName, requirement: &Requirement) -> Result<(), BuildError> {
        if requirement.also.reach == Reach::One {
            return self.asked(route, RouteKind::Dependency, requirement, None);
        }
        let facts = self.facts;
        let winners = winners(facts, requirement);
        let pool = match winners.first() {
            Some(first) => self.tied(route, first, &winners)?,
            None => self.empty_pool(route, requirement)?,
        };
        let offered = winners.first().and_then(|first| {
            let name = CapabilityName::new(first.best.name()).ok()?;
            newest_offer(first, &name)
        });
        let policy = RoutePolicy::wanted(&self.calls(offered));
        let home = winners.first().map_or(self.namespace, Winner::namespace);
        self.route(route.clone(), RouteKind::Dependency, pool, policy, home);
        let mut wiring = wiring(facts, route, requirement);
        if !self.shows_secrets {
            wiring.providers.iter_mut().for_each(|provider| provider.kwargs = "".into());
        }
        self.resources.wirings.insert(route.clone(), wiring);
        Ok(())
    }

    /// The pool of one agent is shared with others that lead to it, where each of its replicas knows the function by one name.
    fn tied(&mut self, route: &RouteName, first: &Winner<'_>, all: &[Winner<'_>]) -> Result<PoolName, BuildError> {
        let called = first.best.function();
        let is_named_alike = all.iter().flat_map(|winner| &winner.offers).all(|offer| offer.function() == called);
        if all.len() == 1 && is_named_alike {
            let pool = pool_name(self.facts, self.namespace, route, first)?;
            self.pool(pool.clone(), first.agent, &first.replicas().collect::<Vec<_>>());
            return Ok(pool);
        }
        let pool = derived_name(self.facts, route, "ties")?;
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for winner in all {
            let tiers = self.intent.pool(winner.agent).map(|rules| rules.tiers.clone()).unwrap_or_default();
            for offer in &winner.offers {
                let tool = if offer.function() == called { String::new() } else { offer.function().to_owned() };
                endpoints.extend(endpoint(offer.standing, &tiers).map(|endpoint| Endpoint { tool, ..endpoint }));
            }
        }
        endpoints.sort_by(|a, b| a.replica.cmp(&b.replica));
        self.pool_of(pool.clone(), first.agent, endpoints);
        Ok(pool)
    }
}

#[cfg(test)]
mod tests;
