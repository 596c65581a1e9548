//! Calls of the own agents: reads their facts, asks for their session, gets a plan, and picks from it.
//!
//! In: a request's head, and its body where the route or the era wants it read. Out: a plan, an endpoint, or how the call ends.
//! Never here: the ladder of affinities; it is the core's `plan`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_model::key::KEYS_MAX;
use outrigger_proxy_core::asked::{Asked, Part};
use outrigger_proxy_core::balance::tried::Tried;
use outrigger_proxy_core::http1::field::Name;
use outrigger_proxy_core::http1::head::RequestHead;
use outrigger_proxy_core::limit::subject::{self, Subject};
use outrigger_proxy_core::mcp::facts::{CallFacts, Reading, Verb};
use outrigger_proxy_core::mcp::table::Row;
use outrigger_proxy_core::mcp::wanted;
use outrigger_proxy_core::outside::Errand;
use outrigger_proxy_core::plan::{self, Aim, Plan};
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::retry::judge::{self, Patience};
use outrigger_proxy_core::route::Lot;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::KeyKind;
use outrigger_proxy_core::target::Target;
use outrigger_proxy_core::world::endpoint::Endpoint;
use outrigger_proxy_core::world::table::World;
use tokio::sync::watch;

use super::call::{Bound, Call, Ending, Way, unix_seconds};
use super::downstream::{Downstream, SessionIds};
use super::parts::GatewayParts;
use super::{admission, blame, retooling, sealing, tenure};

// A patient call looks again this often, because an ejected endpoint comes back without a new world.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Settles where a call goes.
pub async fn settle(parts: &GatewayParts, down: &mut Downstream<'_>, call: &mut Call) -> Result<(), Ending> {
    if let Some(Errand::Elsewhere(site)) = errand(parts, &down.head, &call.world).map_err(Ending::Refuse)? {
        call.forwarded = true;
        let address = parts.elsewhere.address(&site).await.map_err(Ending::Refuse)?;
        let endpoint = Endpoint::elsewhere(&site, address, down.head.path(), call.began);
        call.way = Some(Way::Elsewhere(site, Arc::new(endpoint.ok_or(Ending::Refuse(Refusal::Internal))?)));
        return Ok(());
    }
    loop {
        match plan_once(parts, down, call).await {
            Ok(plan) => {
                call.way = Some(Way::Out(plan));
                return Ok(());
            }
            Err(refusal) => wait_or_end(parts, call, refusal).await?,
        }
    }
}

/// The endpoint of the next attempt.
pub async fn pick(parts: &GatewayParts, down: &mut Downstream<'_>, call: &mut Call) -> Result<Arc<Endpoint>, Ending> {
    loop {
        note_tool(down, call);
        if call.is_wired() {
            // In a box of its own, because few routes are wired.
            Box::pin(retooling::put_aside(parts, down, call)).await;
        }
        let picked = match &call.way {
            Some(Way::Out(plan)) => plan.pick(&call.tried, Instant::now()),
            Some(Way::Elsewhere(_, endpoint)) if call.attempts == 0 => return Ok(Arc::clone(endpoint)),
            Some(Way::In(_) | Way::Elsewhere(..)) | None => Err(Refusal::Internal),
        };
        match picked {
            Ok(picked) => {
                if picked.panic {
                    parts.events.picked_in_panic();
                }
                return Ok(claim(parts, call, picked.endpoint).await);
            }
            Err(refusal) => wait_or_end(parts, call, refusal).await?,
        }
        call.tried = Tried::default();
        settle(parts, down, call).await?;
    }
}

/// Which tool is called matters only where some are known to fail.
fn note_tool(down: &Downstream<'_>, call: &mut Call) {
    let asks = matches!(&call.way, Some(Way::Out(plan)) if plan.asks_for_tool());
    let tool = asks.then(|| blame::tool(down, call)).flatten();
    if let (true, Some(Way::Out(plan))) = (asks, &mut call.way) {
        plan.calls(tool);
    }
}

/// Lets `endpoint` hold the handles of a call, before anything of it is sent; where another proxy was first, the endpoint that it chose.
async fn claim(parts: &GatewayParts, call: &mut Call, mut endpoint: Arc<Endpoint>) -> Arc<Endpoint> {
    let idle = call.world.settings().session_idle;
    // Each handle is offered once, and once more where it was found to be held by a replica that is gone.
    for _ in 0..2 * KEYS_MAX {
        let Some(Way::Out(plan)) = &mut call.way else { break };
        let Some((key, binding)) = plan.claim(&endpoint, unix_seconds()) else { break };
        let known = parts.sessions.claim(key, binding, idle).await;
        if let Some(other) = plan.claimed(key, &known, &endpoint, &call.world, &call.tried) {
            endpoint = other;
        }
    }
    endpoint
}

async fn plan_once(parts: &GatewayParts, down: &mut Downstream<'_>, call: &mut Call) -> Result<Plan, Refusal> {
    let aim = match aim(parts, down, call, true)? {
        Some(aim) => aim,
        None => {
            down.wait_for_body(parts.limits.head_time).await;
            if down.upload.is_overdue() {
                return Err(Refusal::TooSlow);
            }
            aim(parts, down, call, false)?.ok_or(Refusal::Internal)?
        }
    };
    if call.entrance.subject.is_some() && !call.entrance.at_route {
        // In a box of its own, because few routes have limits.
        Box::pin(admission::at_route(parts, call, &aim)).await?;
    }
    let (aim, mut found) = look_up(parts, down, call, aim).await?;
    down.edits = aim.edits().map(Arc::clone);
    tenure::settle(parts, call, &aim, &mut found)?;
    call.bound = bound(&aim, &found);
    let session = aim.session();
    down.ids = ids(call.bound.as_ref().map(|bound| &*bound.binding), &down.head);
    let planned = plan::plan(&call.world, aim, &found);
    if let (Err(Refusal::SessionGone), Some(session), None) = (&planned, session, call.movable()) {
        parts.sessions.forget(session);
    }
    planned
}

/// What the stores know of a call, and of which of the agents that its route may lead to.
async fn look_up(
    parts: &GatewayParts,
    down: &Downstream<'_>,
    call: &Call,
    mut aim: Aim,
) -> Result<(Aim, Vec<Option<Arc<Binding>>>), Refusal> {
    aim.prefer(|carried| parts.sessions.recall(&carried.key).is_some());
    let mut first = None;
    for asked in 0.. {
        let found = look_up_here(parts, down, call, &aim).await;
        if found.as_ref().is_ok_and(|found| found.iter().any(Option::is_some)) {
            return Ok((aim, found?));
        }
        let first = first.get_or_insert(found);
        if !aim.ask_elsewhere(asked) {
            let found = std::mem::replace(first, Ok(Vec::new()))?;
            return Ok((aim, found));
        }
    }
    Err(Refusal::Internal)
}

async fn look_up_here(
    parts: &GatewayParts,
    down: &Downstream<'_>,
    call: &Call,
    aim: &Aim,
) -> Result<Vec<Option<Arc<Binding>>>, Refusal> {
    let idle = call.world.settings().session_idle;
    let mut found = Vec::with_capacity(aim.keys().len());
    for carried in aim.keys() {
        let binding = match carried.kind {
            KeyKind::Session => sealing::find(parts, down, call, aim.agent(), carried.key).await?,
            KeyKind::Task | KeyKind::State | KeyKind::Handle => parts.sessions.find(&carried.key, idle).await,
        };
        let is_settled = binding.as_ref().is_some_and(|binding| aim.is_settled_by(*carried, binding, &call.world));
        found.push(binding);
        if is_settled {
            break;
        }
    }
    Ok(found)
}

/// What was found of its session, which is looked up first.
fn bound(aim: &Aim, found: &[Option<Arc<Binding>>]) -> Option<Bound> {
    let (key, binding) = (aim.session()?, found.first()?.as_ref().map(Arc::clone)?);
    Some(Bound { key, movable: aim.may_move(&binding), pool: aim.pool().map(Arc::clone), binding })
}

/// Where the replica knows the session by another id than the caller.
fn ids(binding: Option<&Binding>, head: &RequestHead) -> SessionIds {
    let Some(upstream) = binding.and_then(|binding| binding.upstream.as_ref()) else { return SessionIds::default() };
    SessionIds { agents: Some(Arc::clone(upstream)), callers: head.fields.first(Name::McpSessionId).map(Arc::from) }
}

/// Who is called. None if the body has to tell and is not here yet; only where it `may_wait`.
fn aim(
    parts: &GatewayParts,
    down: &mut Downstream<'_>,
    call: &mut Call,
    may_wait: bool,
) -> Result<Option<Aim>, Refusal> {
    let Downstream { head, upload, wire, part, .. } = down;
    let facts = facts(parts, head, &call.world)?;
    *part = facts.part;
    // Read already, so that the shape of a refusal is right.
    (call.era, call.method) = (facts.era, facts.method);
    call.row = Some(Row::of(&facts));
    let drawn =
        |lot: &mut Option<Lot>| *lot.get_or_insert_with(|| Lot { chance: fastrand::u64(..), now: Instant::now() });
    let dest = plan::dest(&call.world, facts.target).map_err(|refusal| match facts.part {
        // The replica left, and the stream with it.
        Part::Messages(_) => Refusal::SessionGone,
        _ => refusal,
    })?;
    admission::admit(parts, &mut call.entrance, call.row, facts.verb, || {
        dest.route().map(|route| route.policy.traffic.priority)
    })?;
    let is_limited = !call.entrance.at_route && dest.route().is_some_and(|route| !route.policy.rates.is_empty());
    let lot = dest.draws().then(|| drawn(&mut call.lot));
    let inspect = dest.inspects() && facts.part.is_endpoint();
    let usual = dest.reading(&facts);
    let reading = match if is_limited { subject::reading(&facts, usual) } else { usual } {
        Reading::Untouched if inspect && facts.verb == Verb::Post => return Err(Refusal::NotJsonType),
        Reading::Peeked if may_wait && !upload.is_here(&wire.inbox) => return Ok(None),
        Reading::Peeked if wanted::mentions_state(&upload.beginning(&wire.inbox)) => Reading::First,
        Reading::Peeked => Reading::Untouched,
        reading => reading,
    };
    let aim = if reading == Reading::Untouched {
        call.entrance.subject = is_limited.then(|| Subject::of(&facts, None));
        plan::aim(dest, &facts, None, lot)
    } else {
        let whole = upload.look(&wire.inbox, || dest.wants(&facts))?;
        if !whole && may_wait && reading == Reading::First {
            return Ok(None);
        }
        let seen = upload.beginning(&wire.inbox);
        let envelope = upload.envelope(&seen).ok_or(Refusal::Internal)?;
        let facts = match whole || inspect {
            true => facts.with_envelope(&envelope, whole)?,
            false => facts.with_beginning(&envelope)?,
        };
        (call.era, call.method) = (facts.era, facts.method);
        call.entrance.subject = is_limited.then(|| Subject::of(&facts, Some(&envelope)));
        plan::aim(dest, &facts, Some(&envelope), lot)
    };
    call.row = Some(aim.row());
    Ok(Some(aim))
}

fn facts<'a>(parts: &'a GatewayParts, head: &'a RequestHead, world: &'a World) -> Result<CallFacts<'a>, Refusal> {
    let Asked { target, part } = match errand(parts, head, world)? {
        None | Some(Errand::Here) => Asked::read(head.path(), head.query()).ok_or(Refusal::NoSuchPath)?,
        Some(Errand::Agent(asked)) => asked.with_query(head.query()),
        Some(Errand::Elsewhere(_)) => return Err(Refusal::Internal),
    };
    let only = || world.only_route().map(|route| Target::Route(route.name.as_str()));
    let target = target.or_else(only).ok_or(Refusal::NoSuchPath)?;
    Ok(CallFacts::read(Verb::of(head.method()), &head.fields, target, parts.caller.clone())?.beside(part))
}

/// What a request for a whole URL wants.
pub fn errand<'a>(
    parts: &'a GatewayParts,
    head: &'a RequestHead,
    world: &'a World,
) -> Result<Option<Errand<'a>>, Refusal> {
    let Some(hosts) = parts.outbound_rules.hosts.as_ref().filter(|hosts| hosts.forwards) else { return Ok(None) };
    parts.elsewhere.outside.errand(head, world, hosts, parts.elsewhere.outbound_port)
}

/// Waits for the next world if the call is one that is worth it; otherwise the refusal ends it.
pub async fn wait_or_end(parts: &GatewayParts, call: &mut Call, refusal: Refusal) -> Result<(), Ending> {
    let now = Instant::now();
    match judge::patience(&refusal, call.is_patient(), call.began, now) {
        Patience::Refuse => Err(Ending::Refuse(refusal)),
        Patience::Close => Err(Ending::Close),
        Patience::WaitUntil(until) => {
            let mut changes: watch::Receiver<u64> = parts.worlds.changes();
            // One that came since the call looked is as good as one that comes now.
            if Arc::ptr_eq(&parts.worlds.current(), &call.world) {
                let moment = until.saturating_duration_since(now).min(LOOK_AGAIN);
                // A new world and the end of the moment are the same here: time to look again.
                let _ = tokio::time::timeout(moment, changes.changed()).await;
            }
            call.world = parts.worlds.current();
            Ok(())
        }
    }
}
