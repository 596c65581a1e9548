//! Opens a session again on another replica, because the one that held it is gone.
//!
//! In: a call of the session, of which nothing ran. Out: a binding in the stores that leads to the new session; or a refusal.
//! How: the `initialize` that was kept with the session is sent once more, then `notifications/initialized`; the client keeps its id.
//! Never here: whether a session may move; the core says so.
//! Invariant: of all calls and proxies that try at once, one session comes out, and the others that were opened for it are ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_model::traffic::HeaderEdits;
use outrigger_proxy_core::balance::pick::{By, pick};
use outrigger_proxy_core::balance::tried::Tried;
use outrigger_proxy_core::forward::{self, Aside};
use outrigger_proxy_core::http1::field::Name;
use outrigger_proxy_core::http1::head::RequestHead;
use outrigger_proxy_core::mcp::method::INITIALIZED;
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::moving::is_same_revision;
use outrigger_proxy_core::world::endpoint::Endpoint;
use serde_json::Value;
use tokio::time::timeout;
use tracing::debug;

use super::aside::{AsideError, Reply, exchange};
use super::attempts::Why;
use super::call::{Bound, Call, unix_seconds};
use super::parts::GatewayParts;
use super::tenure;
use super::turns::Turns;
use super::upstream::Upstreams;
use crate::catalog::events::Events as Stream;
use crate::telemetry::Moved;

/// For the whole of it, waiting for another call that is at it included.
const MOVE_TIME: Duration = Duration::from_secs(10);
/// For ending a session that was opened for nothing.
const CLOSE_TIME: Duration = Duration::from_millis(500);

/// What it takes to ask endpoints.
#[derive(Clone, Copy)]
pub struct Mover<'a> {
    pub parts: &'a GatewayParts,
    pub upstreams: &'a Upstreams,
    pub turns: &'a Turns,
    /// What the operator wants changed of the heads of the route.
    pub edits: Option<&'a HeaderEdits>,
}

/// A session as a replica opened it.
struct Opened {
    endpoint: Arc<Endpoint>,
    id: Arc<[u8]>,
}

/// Why a replica did not open it.
#[derive(Debug)]
enum NotOpened {
    /// Another one may.
    Here(&'static str),
    /// What it said another one would say too.
    Anywhere(&'static str),
}

/// Moves the session of `call`. When this is done the stores know where it lives now, and the call has to be planned again.
pub async fn reopen(mover: Mover<'_>, head: &RequestHead, call: &mut Call, why: Why) -> Result<(), Refusal> {
    let Some(bound) = call.bound.clone() else { return Err(Refusal::SessionGone) };
    call.moves += 1;
    let moving = timeout(MOVE_TIME, mover.reopen(head, call, &bound, why));
    let result = moving.await.unwrap_or(Moved::Unreachable);
    match result {
        // Counted with its record.
        Moved::Reestablished => return Ok(()),
        result => mover.parts.events.session_moved(result),
    }
    match result {
        Moved::Reestablished | Moved::Followed => Ok(()),
        Moved::Unreachable => Err(Refusal::SessionUnreachable),
        Moved::Refused => {
            mover.parts.sessions.forget(bound.key);
            Err(Refusal::SessionGone)
        }
    }
}

impl Mover<'_> {
    async fn reopen(self, head: &RequestHead, call: &mut Call, bound: &Bound, why: Why) -> Moved {
        let Bound { key, binding: lost, .. } = bound;
        let idle = tenure::idle(&call.world, call.held, unix_seconds());
        let Some(_turn) = self.turns.take(*key, MOVE_TIME).await else { return Moved::Unreachable };
        // Whoever moved it knew a world with the replica that it moved to.
        call.world = self.parts.worlds.current();
        match self.parts.sessions.refresh(key, idle).await {
            Some(held) if held.moves > lost.moves => return Moved::Followed,
            Some(_) => {}
            None => return Moved::Refused,
        }
        let Some(pool) = bound.pool.as_ref().and_then(|pool| call.world.pool(pool.name.as_str())) else {
            return Moved::Refused;
        };
        let mut tried = Tried::default();
        if why == Why::Unreachable {
            tried.add(&lost.replica);
        }
        while let Ok(picked) = pick(pool, By::Balance, &tried, None, Instant::now())
            && !tried.is_exhausted()
        {
            tried.add(&picked.endpoint.replica);
            let _in_flight = picked.endpoint.live.enter();
            match self.open(head, &picked.endpoint, lost, call.connect_limit(Instant::now())).await {
                Ok(opened) => return self.keep(head, bound, opened, idle).await,
                Err(NotOpened::Here(reason)) => {
                    debug!(replica = %picked.endpoint.replica, reason, "a session was not opened again");
                }
                Err(NotOpened::Anywhere(reason)) => {
                    debug!(replica = %picked.endpoint.replica, reason, "a session cannot be opened again");
                    return Moved::Refused;
                }
            }
        }
        Moved::Unreachable
    }

    async fn open(
        self,
        head: &RequestHead,
        endpoint: &Arc<Endpoint>,
        lost: &Binding,
        connect: Duration,
    ) -> Result<Opened, NotOpened> {
        let Some(opening) = &lost.opening else { return Err(NotOpened::Anywhere("its opening is not kept")) };
        let unreached = |error: AsideError| {
            debug!(error = &error as &dyn std::error::Error, "a replica did not answer");
            NotOpened::Here("no answer")
        };
        let ask = |aside| exchange(self.upstreams, endpoint, self.written(head, endpoint, aside), connect);
        let opening = Aside { method: "POST", session: None, revision: None, body: opening };
        let reply = ask(opening).await.map_err(unreached)?;
        if reply.status.is_server_error() {
            return Err(NotOpened::Here("the answer was an error of the server"));
        }
        let Some(id) = reply.session.clone().filter(|_| reply.status.is_success()) else {
            return Err(NotOpened::Anywhere("the answer opened no session"));
        };
        let opened = Opened { endpoint: Arc::clone(endpoint), id };
        let said = head.fields.first(Name::McpProtocolVersion);
        let Some(agreed) = revision_of(&reply).filter(|agreed| is_same_revision(agreed, said)) else {
            self.close(head, &opened).await;
            return Err(NotOpened::Anywhere("the answer agreed to another revision"));
        };
        let revision = said.map(|_| agreed.as_str());
        let initialized = Aside { method: "POST", session: Some(&opened.id), revision, body: INITIALIZED };
        match ask(initialized).await {
            Ok(reply) if reply.status.is_success() => Ok(opened),
            Ok(_) => {
                self.close(head, &opened).await;
                Err(NotOpened::Here("it was not taken for opened"))
            }
            Err(error) => Err(unreached(error)),
        }
    }

    /// Offers the new binding to the stores. Another proxy may have been quicker, and then its session counts.
    async fn keep(self, head: &RequestHead, bound: &Bound, opened: Opened, idle: Duration) -> Moved {
        let lost = &bound.binding;
        let binding = Binding {
            replica: opened.endpoint.replica.clone(),
            generation: opened.endpoint.generation,
            moves: lost.moves.saturating_add(1),
            last_seen: unix_seconds(),
            upstream: Some(Arc::clone(&opened.id)),
            ..Binding::clone(lost)
        };
        let held = self.parts.sessions.claim(bound.key, binding, idle).await;
        if held.upstream.as_deref() != Some(&*opened.id) {
            self.close(head, &opened).await;
            return Moved::Followed;
        }
        let (from, to) = (lost.replica.as_str(), held.replica.as_str());
        self.parts.events.session_reestablished(held.caller.as_str(), held.agent.as_str(), from, to);
        Moved::Reestablished
    }

    /// An agent that does not hear of it ends the session by itself, for want of use.
    async fn close(self, head: &RequestHead, opened: &Opened) {
        let revision = head.fields.first(Name::McpProtocolVersion).and_then(|said| std::str::from_utf8(said).ok());
        let aside = Aside { method: "DELETE", session: Some(&opened.id), revision, body: b"" };
        let request = self.written(head, &opened.endpoint, aside);
        let _ = timeout(CLOSE_TIME, exchange(self.upstreams, &opened.endpoint, request, CLOSE_TIME)).await;
    }

    fn written(self, head: &RequestHead, endpoint: &Endpoint, aside: Aside<'_>) -> Vec<u8> {
        let mut request = Vec::new();
        forward::aside(head, endpoint, self.edits, aside, &mut request);
        request
    }
}

/// The revision that the answer to `initialize` agrees to.
fn revision_of(reply: &Reply) -> Option<String> {
    let revision = |message: &[u8]| {
        let message: Value = serde_json::from_slice(message).ok()?;
        Some(message.get("result")?.get("protocolVersion")?.as_str()?.to_owned())
    };
    if !reply.is_stream {
        return revision(&reply.body);
    }
    let mut stream = Stream::default();
    stream.take(&reply.body).ok()?;
    std::iter::from_fn(|| stream.next()).find_map(|message| revision(&message))
}
