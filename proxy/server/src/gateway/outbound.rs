//! Calls of the own agents: reads their facts, asks for their session, gets a plan, and picks from it.
//!
//! In: a request's head, and its body where the route or the era wants it read. Out: a plan, an endpoint, or how the call ends.
//! Never here: the ladder of affinities; it is the core's `plan`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_proxy_core::asked::{Asked, Part};
use outrigger_proxy_core::balance::tried::Tried;
use outrigger_proxy_core::http1::field::Name;
use outrigger_proxy_core::http1::head::RequestHead;
use outrigger_proxy_core::mcp::facts::{CallFacts, Verb};
use outrigger_proxy_core::mcp::table::Row;
use outrigger_proxy_core::outside::Errand;
use outrigger_proxy_core::plan::{self, Aim, Plan};
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::retry::judge::{self, Patience};
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::target::Target;
use outrigger_proxy_core::world::endpoint::Endpoint;
use outrigger_proxy_core::world::table::World;
use tokio::sync::watch;

use super::call::{Bound, Call, Ending, Way};
use super::downstream::{Downstream, SessionIds};
use super::parts::GatewayParts;
use super::sealing;

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
                return Ok(picked.endpoint);
            }
            Err(refusal) => wait_or_end(parts, call, refusal).await?,
        }
        call.tried = Tried::default();
        settle(parts, down, call).await?;
    }
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
    let key = aim.key();
    let binding = match key {
        Some(key) => sealing::find(parts, down, call, aim.agent(), key).await?,
        None => None,
    };
    call.bound = key.zip(binding).map(|(key, binding)| {
        let (movable, pool) = (aim.may_move(&binding), aim.pool().map(Arc::clone));
        Bound { key, binding, movable, pool }
    });
    let binding = call.bound.as_ref().map(|bound| &*bound.binding);
    down.ids = ids(binding, &down.head);
    let planned = plan::plan(&call.world, aim, binding);
    if let (Err(Refusal::SessionGone), Some(key), None) = (&planned, key, call.movable()) {
        parts.sessions.forget(key);
    }
    planned
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
    let dest = plan::dest(&call.world, facts.target).map_err(|refusal| match facts.part {
        // The replica left, and the stream with it.
        Part::Messages(_) => Refusal::SessionGone,
        _ => refusal,
    })?;
    let inspect = dest.inspects() && facts.part.is_endpoint();
    let facts = match facts.is_read(inspect) {
        false if inspect && facts.verb == Verb::Post => return Err(Refusal::NotJsonType),
        false => facts,
        true => {
            let whole = upload.look(&wire.inbox)?;
            if !whole && may_wait && facts.waits_for_body(inspect) {
                return Ok(None);
            }
            let seen = upload.beginning(&wire.inbox);
            let envelope = upload.envelope(&seen).ok_or(Refusal::Internal)?;
            facts.with_envelope(&envelope, whole)?
        }
    };
    (call.era, call.method) = (facts.era, facts.method);
    let aim = plan::aim(dest, &facts);
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
