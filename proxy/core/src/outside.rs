//! Requests for a whole URL: an agent whose HTTP proxy we are keeps the URLs it was written with.
//!
//! In: the head of a request, what the operator lists, the world. Out: an agent of the mesh and which part of it, or a site to
//! forward to, or a refusal.
//! Order: our own address; then URLs that stand for an agent, so that sessions and retries are the mesh's; then the list of sites.
//! Never here: resolving names. What a name leads to is judged by [`may_connect`](crate::site::may_connect).
//! Invariant: nothing is forwarded that the operator did not list.

use std::time::Instant;

use outrigger_model::name::RouteName;

use crate::asked::{Asked, Part, Server};
use crate::gate::Hosts;
use crate::http1::head::RequestHead;
use crate::outcome::Outcome;
use crate::refusal::Refusal;
use crate::retry::judge::{self, Case, Verdict};
use crate::site::{Pattern, Site};
use crate::target::Target;
use crate::world::endpoint::Place;
use crate::world::table::World;

/// Stands for the route of a call that is forwarded elsewhere.
pub const LABEL: &str = "_forward";

const HTTP_PORT: u16 = 80;

/// What the operator says of URLs beyond this proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outside {
    pub known: Vec<Known>,
    pub allowed: Vec<Pattern>,
}

/// A URL as agents write it, and the route that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub site: Site,
    /// Of its MCP endpoint.
    pub path: String,
    pub route: RouteName,
}

/// What a request for a whole URL wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand<'a> {
    /// Our own address was written out.
    Here,
    Agent(Asked<'a>),
    Elsewhere(Site),
}

impl Outside {
    /// What a request with a whole URL wants; none if its target is only a path. `ours` is the port of the listener that it came to.
    pub fn errand<'a>(
        &'a self,
        head: &'a RequestHead,
        world: &'a World,
        hosts: &Hosts,
        ours: u16,
    ) -> Result<Option<Errand<'a>>, Refusal> {
        let Some(authority) = head.target_authority() else { return Ok(None) };
        let not_allowed = || Refusal::ForwardNotAllowed { site: authority.to_owned() };
        let site = Site::parse(authority, Some(HTTP_PORT)).ok_or_else(not_allowed)?;
        if hosts.are_at(authority, &site, ours) {
            return Ok(Some(Errand::Here));
        }
        if let Some(asked) = self.agent(&site, head.path(), world) {
            return Ok(Some(Errand::Agent(asked)));
        }
        if (head.is_plain_http() || head.is_inside_tunnel()) && self.allows(&site) {
            return Ok(Some(Errand::Elsewhere(site)));
        }
        Err(not_allowed())
    }

    /// Whether a tunnel may lead there.
    pub fn allows(&self, site: &Site) -> bool {
        self.allowed.iter().any(|pattern| pattern.takes(site))
    }

    /// Whether some agent is known by a URL of this site.
    pub fn knows(&self, site: &Site, world: &World) -> bool {
        self.known.iter().any(|known| known.site.is_at(site)) || own(world).any(|(place, ..)| place.is_at(site))
    }

    fn agent<'a>(&'a self, site: &Site, path: &str, world: &'a World) -> Option<Asked<'a>> {
        let known = self.known.iter().filter(|known| known.site.is_at(site));
        let known = known.map(|known| (known.path.as_str(), Target::Route(known.route.as_str())));
        let own = own(world).filter(|(place, ..)| place.is_at(site)).map(|(_, path, target)| (path, target));
        let mut found: Option<Asked<'a>> = None;
        for (endpoint, target) in known.chain(own) {
            let Some(part) = Part::at(Server { root: "", endpoint }, path) else { continue };
            let asked = Asked { target: Some(target), part };
            if part.is_endpoint() {
                return Some(asked);
            }
            // What belongs to the whole site belongs to an agent only if there is no other one.
            match found {
                Some(other) if other != asked => return None,
                _ => found = Some(asked),
            }
        }
        found
    }
}

/// What follows the attempt at a site; there is never a second one.
pub fn judge(outcome: Outcome, site: &Site, now: Instant) -> Verdict {
    if outcome.reached_agent() {
        return judge::judge(outcome, Case::once(LABEL), now);
    }
    Verdict::Refuse(Refusal::ForwardUnreachable { site: site.to_string() })
}

/// The agents behind this proxy by their own URLs.
fn own(world: &World) -> impl Iterator<Item = (Site, &str, Target<'_>)> {
    world.owned().filter_map(|endpoint| {
        let Place::Own { upstream } = &endpoint.place else { return None };
        let site = Site::parse(upstream.authority()?.as_str(), Some(HTTP_PORT))?;
        let agent = endpoint.agent.as_str();
        let target = if world.route(agent).is_some() { Target::Route(agent) } else { Target::Agent(agent) };
        Some((site, upstream.path(), target))
    })
}

#[cfg(test)]
mod tests;
