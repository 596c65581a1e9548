//! What the inbound listener does with a call that a peer's proxy brings: it goes to an own agent or nowhere.
//!
//! In: the world and what the path asks for; the outcome of the one attempt. Out: the own endpoint, or a refusal; a verdict.
//! Never here: sessions, affinity, balance; the calling proxy has decided all of that.
//! Invariant: a refusal that follows an attempt which sent nothing says so, so that the caller may try elsewhere.

use std::sync::Arc;
use std::time::Instant;

use crate::asked::{Asked, Part};
use crate::outcome::Outcome;
use crate::refusal::Refusal;
use crate::retry::judge::{self, Case, Verdict};
use crate::target::Target;
use crate::world::endpoint::Endpoint;
use crate::world::table::World;

/// The own replica that a peer named, by its id or as the only one of its agent, and what it asks of it.
pub fn visit(world: &World, asked: Option<Asked<'_>>) -> Result<(Arc<Endpoint>, Part), Refusal> {
    let Some(Asked { target: Some(Target::Agent(id)), part }) = asked else { return Err(Refusal::NoSuchPath) };
    let own = world.own(id).or_else(|| only_of(world, id)).cloned();
    Ok((own.ok_or_else(|| Refusal::UnknownReplica { replica: id.to_owned() })?, part))
}

/// The own replica of an agent that a peer named, where there is no other: peers that know addresses only say no more. Among several
/// the peer has chosen one that it did not name, so none is guessed.
fn only_of<'w>(world: &'w World, agent: &str) -> Option<&'w Arc<Endpoint>> {
    let mut own = world.owned().filter(|own| own.agent.as_str() == agent);
    own.next().filter(|_| own.next().is_none())
}

/// What follows the attempt; there is never a second one.
pub fn judge(outcome: Outcome, endpoint: &Endpoint, now: Instant) -> Verdict {
    if outcome.reached_agent() {
        return judge::judge(outcome, Case::once(endpoint.agent.as_str()), now);
    }
    Verdict::Refuse(Refusal::AgentUnreachable { replica: endpoint.replica.as_str().to_owned() })
}

#[cfg(test)]
mod tests;
