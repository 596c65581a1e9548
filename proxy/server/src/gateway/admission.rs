//! Whether a call is let in: by how much there is to do, then by the limits of its route, then by those of the own agent that it reaches.
//!
//! In: a call and what it is. Out: nothing, or the refusal.
//! Never here: sums; those of limits are in `rates`, those of pressure in `overload`.
//! Invariant: each door counts a call once, also where it is planned again. A call that nothing limits is asked two questions and no more.

use outrigger_model::name::AgentName;
use outrigger_model::revision::Era;
use outrigger_model::route::TimeClass;
use outrigger_model::traffic::Priority;
use outrigger_proxy_core::http1::field::Name;
use outrigger_proxy_core::http1::head::RequestHead;
use outrigger_proxy_core::limit::meter::{Scope, Who};
use outrigger_proxy_core::limit::pressure::{self, PRIORITY_HEADER};
use outrigger_proxy_core::limit::subject::Subject;
use outrigger_proxy_core::mcp::envelope::probe::Wants;
use outrigger_proxy_core::mcp::facts::{CallFacts, Verb};
use outrigger_proxy_core::mcp::table::Row;
use outrigger_proxy_core::plan::Aim;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::target::Target;

use super::call::{Call, Entrance, Way};
use super::downstream::Downstream;
use super::parts::GatewayParts;

/// Refuses a call for which there is too much to do. One that ends a session makes room, and is always let in.
pub fn admit(
    parts: &GatewayParts,
    entrance: &mut Entrance,
    row: Option<&Row>,
    verb: Verb,
    priority: impl FnOnce() -> Option<Priority>,
) -> Result<(), Refusal> {
    if entrance.admitted {
        return Ok(());
    }
    entrance.priority = priority().unwrap_or_default();
    if let Some(overload) = parts.overload.as_ref().filter(|_| verb != Verb::Delete) {
        let stream = row.is_some_and(|row| row.time == TimeClass::Stream);
        overload.admit(entrance.priority, stream)?;
    }
    entrance.admitted = true;
    Ok(())
}

/// What the calling proxy says of a call. Only proxies of the mesh get here, and pass on no such field of a stranger.
pub fn priority(head: &RequestHead) -> Option<Priority> {
    if !head.fields.has(Name::Ours) {
        return None;
    }
    let is = |name: &[u8]| name.eq_ignore_ascii_case(PRIORITY_HEADER.as_bytes());
    let said = head.fields.iter().find(|(known, name, _)| *known == Name::Ours && is(name));
    said.map(|(_, _, value)| pressure::said(value))
}

/// Counts a call of the own agents at its route.
pub async fn at_route(parts: &GatewayParts, call: &mut Call, aim: &Aim) -> Result<(), Refusal> {
    let (Some(route), Some(subject)) = (aim.dest().route(), &call.entrance.subject) else { return Ok(()) };
    let who = Who { caller: parts.caller.as_str(), agent: aim.agent().as_str(), tool: subject.tool() };
    parts.rates.take(Scope::Route(route.name.as_str()), &route.policy.rates, who, subject).await?;
    call.entrance.at_route = true;
    Ok(())
}

/// Counts a call at the own agent that it is about to reach, whoever brings it.
pub async fn at_agent(
    parts: &GatewayParts,
    down: &mut Downstream<'_>,
    call: &mut Call,
    agent: &AgentName,
) -> Result<(), Refusal> {
    if call.entrance.at_agent {
        return Ok(());
    }
    let subject = match call.entrance.subject.take() {
        Some(subject) => subject,
        None => subject(parts, down).await?,
    };
    let caller = match &call.way {
        Some(Way::In(_)) => call.visitor.as_ref().map_or("", |visitor| visitor.peer.as_str()),
        _ => parts.caller.as_str(),
    };
    let who = Who { caller, agent: agent.as_str(), tool: subject.tool() };
    parts.rates.take(Scope::Pool(agent.as_str()), call.world.rates_of(agent), who, &subject).await?;
    call.entrance.subject = Some(subject);
    call.entrance.at_agent = true;
    Ok(())
}

/// What a call is, from its head or else from its body, as far as that is kept.
async fn subject(parts: &GatewayParts, down: &mut Downstream<'_>) -> Result<Subject, Refusal> {
    // What is wrong with the head is for the agent to say.
    let Some(first) = facts(parts, down) else { return Ok(Subject::Unknown) };
    if !first.is_readable() || first.era == Some(Era::Modern) {
        return Ok(Subject::of(&first, None));
    }
    down.wait_for_body(parts.limits.head_time).await;
    if down.upload.is_overdue() {
        return Err(Refusal::TooSlow);
    }
    let whole = down.upload.look(&down.wire.inbox, || Wants::NONE)?;
    let seen = down.upload.beginning(&down.wire.inbox);
    let (Some(envelope), Some(facts)) = (down.upload.envelope(&seen), facts(parts, down)) else {
        return Ok(Subject::Unknown);
    };
    let facts = facts.with_envelope(&envelope, whole)?;
    Ok(Subject::of(&facts, Some(&envelope)))
}

fn facts<'a>(parts: &GatewayParts, down: &'a Downstream<'_>) -> Option<CallFacts<'a>> {
    let (head, verb) = (&down.head, Verb::of(down.head.method()));
    // Who is called makes no difference to what the call is.
    let facts = CallFacts::read(verb, &head.fields, Target::Everything, parts.caller.clone()).ok()?;
    Some(facts.beside(down.part))
}
