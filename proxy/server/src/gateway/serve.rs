//! The life of one call: checked, settled, tried, answered, told.
//!
//! In: a request's head and the connection that it came on. Out: whether the connection may carry another one.
//! How each step works is in the rooms beside; here is their order.
//! Invariant: a call ends in exactly one way, and is told once.

use std::sync::Arc;
use std::time::Instant;

use outrigger_proxy_core::asked::Part;
use outrigger_proxy_core::balance::tried::Tried;
use outrigger_proxy_core::gate;
use outrigger_proxy_core::http1::body::Framing;
use outrigger_proxy_core::http1::field::Name;
use outrigger_proxy_core::http1::head::RequestHead;
use outrigger_proxy_core::outcome::{Limit, Outcome};
use outrigger_proxy_core::refusal::Refusal;
use outrigger_proxy_core::world::endpoint::Endpoint;
use tracing::debug;

use super::alarm::Alarm;
use super::announcing::Announcing;
use super::asking::Asking;
use super::attempts::{self, Ended, Next, Why};
use super::blame::Blame;
use super::call::{Attempt, Call, Ending, unix_seconds};
use super::closing::Place;
use super::deliver::{Cut, Delivered, Watched, deliver};
use super::downstream::Downstream;
use super::exchange::{Answer, Failure, ask};
use super::hedge::Hedge;
use super::mirroring::Mirrors;
use super::moving::{self, Mover};
use super::opening_streams::OpeningStreams;
use super::parts::GatewayParts;
use super::renaming::{self, Called};
use super::telling::Telling;
use super::tenure::{self, Revocable};
use super::turns::Turns;
use super::upload::Upload;
use super::upstream::{Upstream, Upstreams};
use super::wire::Wire;
use super::{admission, everything, faulting, inbound, learning, outbound, registry, respond, retooling, room, whole};
use crate::telemetry::{CallEnd, Direction};

/// One side of the gateway.
pub struct Side {
    pub parts: Arc<GatewayParts>,
    pub direction: Direction,
    pub upstreams: Arc<Upstreams>,
    pub turns: Arc<Turns>,
    pub streams: Arc<OpeningStreams>,
    pub mirrors: Arc<Mirrors>,
}

/// An endpoint that answers, and its answer so far.
struct Found {
    upstream: Upstream,
    answer: Answer,
}

/// What the call ends with if nobody does better.
struct Fallback {
    next: Next,
    found: Option<Found>,
    attempt: Option<Attempt>,
}

impl Fallback {
    fn reached_nobody(&self) -> bool {
        matches!(self.next, Next::End(Ending::Refuse(Refusal::NoEndpoint { .. })))
    }
}

impl Side {
    /// Serves one request. `place` is that of its connection, which ends after it if the listener stops or the request `is_last`.
    pub async fn serve(
        &self,
        wire: &mut Wire,
        alarm: &mut Alarm,
        place: &Place,
        head: RequestHead,
        is_last: bool,
    ) -> bool {
        let mut call = self.begin();
        let checked = gate::check(&head, self.rules());
        let bytes_max = self.parts.limits.body_bytes_max as u64;
        // A head that is refused may have any body behind it; none of it is looked at.
        let framing = checked.as_ref().copied().unwrap_or(Framing::Empty);
        let upload = Upload::new(framing, bytes_max, self.parts.limits.body_pace);
        let mut down = Downstream::new(wire, alarm, place, head, upload);
        down.keep &= !is_last && !down.is_draining() && checked.is_ok();
        let ended = if checked.is_ok() && everything::is_meant(&self.parts, self.direction, &down, &call) {
            everything::serve(&self.parts, &mut down, &mut call).await
        } else if checked.is_ok() && registry::is_meant(&self.parts, self.direction, &down, &call) {
            // In a box of its own, because few requests are no calls.
            Box::pin(registry::serve(&self.parts, &mut down)).await
        } else {
            match self.find(&mut down, &mut call, checked.map(drop)).await {
                Ok(found) => Ok(self.answer(&mut down, &call, found).await),
                Err(ending) => Err(ending),
            }
        };
        let end = match ended {
            Ok(end) => end,
            Err(ending) => self.end(&mut down, &call, ending).await,
        };
        if !down.upload.is_done() {
            // Said already; what is left of the request decides if another one can follow.
            down.keep = down.keep && respond::linger(&mut down).await;
        } else if down.upload.can_restart() {
            down.upload.release(down.wire);
        }
        self.tell(&call, Some(down.head.path()), end, down.answered);
        down.keep
    }

    /// Refuses bytes that are no request.
    pub async fn refuse_bytes(&self, wire: &mut Wire, refusal: &Refusal) {
        let call = self.begin();
        let shape = refusal.shape(None);
        let said = respond::refuse_bytes(wire, refusal).await.is_ok();
        self.tell(&call, None, CallEnd::Refused(shape.label), said.then_some(shape.status));
    }

    pub(super) fn begin(&self) -> Call {
        Call::new(self.parts.worlds.current(), self.parts.events.call_started(self.direction))
    }

    pub fn rules(&self) -> &gate::Rules {
        match self.direction {
            Direction::Outbound => &self.parts.outbound_rules,
            Direction::Inbound => &self.parts.inbound_rules,
        }
    }

    /// Everything until an answer begins.
    async fn find(
        &self,
        down: &mut Downstream<'_>,
        call: &mut Call,
        checked: Result<(), Refusal>,
    ) -> Result<Found, Ending> {
        let fits = |()| down.check_length(self.parts.limits.body_bytes_max as u64);
        checked.and_then(fits).map_err(Ending::Refuse)?;
        // Until the answer is found: what its client sends behind a stream is to arrive behind it.
        let _opening = match self.direction {
            Direction::Outbound => {
                self.settle(down, call).await?;
                self.streams.in_order(call).await
            }
            Direction::Inbound => inbound::settle(&self.parts, down, call).map(|()| None)?,
        };
        down.priority = call.entrance.priority;
        call.hear_patience(&down.head.fields);
        down.upload.keep_at_most(call.body_bytes_kept());
        down.say_continue();
        faulting::wait_or_end(&self.parts, down, call).await?;
        let mut fallback = None;
        loop {
            let picked = match self.direction {
                Direction::Outbound => outbound::pick(&self.parts, down, call).await,
                Direction::Inbound => inbound::pick(call),
            };
            let endpoint = match (picked, &fallback) {
                (Ok(endpoint), _) => endpoint,
                (Err(Ending::Refuse(Refusal::NoEndpoint { .. })), Some(_)) => break,
                (Err(ending), _) => return Err(ending),
            };
            if endpoint.is_own() && !call.forwarded && !call.world.rates_of(&endpoint.agent).is_empty() {
                // In a box of its own, because few agents have limits.
                let counted = Box::pin(admission::at_agent(&self.parts, down, call, &endpoint.agent));
                counted.await.map_err(Ending::Refuse)?;
            }
            let inside = room::enter(&self.parts, down, call, &endpoint).await?;
            let began = Instant::now();
            call.attempt(Arc::clone(&endpoint), inside, began);
            match self.attempt(down, call, &endpoint, began).await {
                (Next::Again { instead, outcome, pause }, found) => {
                    call.note(outcome);
                    if fallback.as_ref().is_none_or(Fallback::reached_nobody) {
                        fallback = Some(Fallback { next: *instead, found, attempt: call.attempt.take() });
                    }
                    if !pause.is_zero() && !down.pause(pause).await {
                        return Err(Ending::Abandoned);
                    }
                }
                (Next::Move(why), _) => {
                    self.reopen(down, call, why).await?;
                    self.settle(down, call).await?;
                }
                (Next::End(Ending::Refuse(refusal)), _) if call.is_patient() && down.upload.can_restart() => {
                    outbound::wait_or_end(&self.parts, call, refusal).await?;
                    call.tried = Tried::default();
                    outbound::settle(&self.parts, down, call).await?;
                }
                // This one got nothing; an attempt before may have run it, and that is to be said.
                (Next::End(Ending::Refuse(Refusal::NoEndpoint { .. })), _) if fallback.is_some() => break,
                (next, found) => return self.settled(down, call, next, found).await,
            }
        }
        let Some(Fallback { next, found, attempt }) = fallback else { return Err(Ending::Refuse(Refusal::Internal)) };
        call.attempt = attempt;
        self.settled(down, call, next, found).await
    }

    /// Settles where a call goes; a session whose replica is gone moves first, if it may.
    async fn settle(&self, down: &mut Downstream<'_>, call: &mut Call) -> Result<(), Ending> {
        loop {
            match outbound::settle(&self.parts, down, call).await {
                Err(Ending::Refuse(Refusal::SessionGone)) if call.movable().is_some() => {
                    self.reopen(down, call, Why::Lost).await?;
                }
                Ok(()) if call.moves_at_once(Instant::now()) => self.reopen(down, call, Why::Unreachable).await?,
                settled => return settled,
            }
        }
    }

    async fn reopen(&self, down: &mut Downstream<'_>, call: &mut Call, why: Why) -> Result<(), Ending> {
        call.attempt = None;
        call.tried = Tried::default();
        let edits = down.edits.as_deref();
        let mover = Mover { parts: &self.parts, upstreams: &self.upstreams, turns: &self.turns, edits };
        // In a box of its own, because hardly any call needs it.
        Box::pin(moving::reopen(mover, &down.head, call, why)).await.map_err(Ending::Refuse)?;
        down.moved = true;
        Ok(())
    }

    /// What the head of an answer that is passed on teaches about sessions is kept before the caller sees it.
    async fn settled(
        &self,
        down: &mut Downstream<'_>,
        call: &mut Call,
        next: Next,
        found: Option<Found>,
    ) -> Result<Found, Ending> {
        learning::pin_if_bound(&self.parts, down, call);
        match (next, found) {
            (Next::Pass, Some(found)) => {
                call.first_byte = Some(call.began.elapsed());
                learning::learn(&self.parts, down, call, &found.answer).await;
                self.mirrors.copy(&self.parts, &self.upstreams, down, call);
                Ok(found)
            }
            (Next::End(ending), _) => Err(ending),
            (Next::Pass | Next::Again { .. } | Next::Move(_), _) => Err(Ending::Refuse(Refusal::Internal)),
        }
    }

    /// One attempt, until its answer begins and is found good to pass on.
    async fn attempt(
        &self,
        down: &mut Downstream<'_>,
        call: &mut Call,
        endpoint: &Endpoint,
        began: Instant,
    ) -> (Next, Option<Found>) {
        if let Err(refusal) = self.look_up_announced(down, endpoint) {
            return (Next::End(Ending::Refuse(refusal)), None);
        }
        let settle = |call: &Call, ended| attempts::settle(&self.parts, call, ended, Instant::now());
        let mut upstream = match self.upstreams.get(endpoint, call.connect_limit(began), began).await {
            Ok(upstream) => upstream,
            Err(_) if call.is_over(Instant::now()) => {
                return (Next::End(Ending::Refuse(Refusal::TotalTimeout)), None);
            }
            Err(error) => {
                attempts::tell_unconnected(endpoint, &error);
                return (settle(call, Ended::silent(Outcome::ConnectFailed, true, Blame::default())), None);
            }
        };
        down.seconds_left = call.seconds_left(began);
        if call.is_wired() || down.retooled.is_some() {
            Box::pin(retooling::prepare(&self.parts, down, call, endpoint)).await;
        }
        let deadlines = call.deadlines_of_try();
        // The second of two would have to get another body.
        let (mut upstream, answer) = match call.hedge_after().filter(|_| !call.is_wired()) {
            None => {
                let answer = ask(down, &mut upstream.wire, endpoint, &deadlines, began).await;
                (upstream, answer)
            }
            Some(after) => {
                let hedge = Hedge { parts: &self.parts, upstreams: &self.upstreams, deadlines: &deadlines, after };
                Box::pin(hedge.ask(down, call, upstream, endpoint, began)).await
            }
        };
        let can_restart = down.upload.can_restart();
        let answer = match whole::awaited(down, call, &mut upstream.wire, answer, &deadlines).await {
            Ok(answer) => answer,
            Err(Failure::Refused(refusal)) => return (Next::End(Ending::Refuse(refusal)), None),
            Err(Failure::Outcome(outcome)) => {
                debug!(replica = %endpoint.replica, outcome = outcome.label(), "an attempt broke off");
                let blame = Blame::of_failure(down, call);
                return (settle(call, Ended::silent(outcome, can_restart, blame)), None);
            }
        };
        // Of two that were asked the other may have answered.
        let answering = call.endpoint();
        let answering = answering.as_deref().unwrap_or(endpoint);
        let outcome = Outcome::of_answer(answer.head.status, answer.refusal(answering));
        let blame = Blame::of_answer(down, call, answering, &answer, &upstream.wire.inbox);
        let next = settle(call, Ended { outcome, asks_later: answer.asks_later(), can_restart, blame });
        (next, Some(Found { upstream, answer }))
    }

    /// At the agent itself a message goes where the agent said, for as long as the stream is open on which it did.
    fn look_up_announced(&self, down: &mut Downstream<'_>, endpoint: &Endpoint) -> Result<(), Refusal> {
        if let (Part::Messages(token), true) = (down.part, endpoint.is_own()) {
            let path = self.parts.announced.find(token, &endpoint.replica).ok_or(Refusal::SessionGone)?;
            down.announced = Some(path);
        }
        Ok(())
    }

    async fn answer(&self, down: &mut Downstream<'_>, call: &Call, found: Found) -> CallEnd {
        let Found { mut upstream, answer } = found;
        let fields = &answer.head.fields;
        let reusable = !answer.head.is_http10 && !fields.lists(Name::Connection, "close");
        let until_close = answer.framing == Framing::UntilClose;
        let attempt = call.attempt.as_ref().filter(|_| !call.forwarded);
        let answer = match attempt {
            Some(attempt) if renaming::may_rename(down, &answer) => {
                let to = self.called(down, call);
                renaming::rename(down, &mut upstream.wire, &attempt.endpoint, to, answer).await
            }
            _ => answer,
        };
        let announcing = attempt.and_then(|attempt| Announcing::of(&self.parts, down, &attempt.endpoint, &answer));
        let idle = tenure::idle(&call.world, call.held, unix_seconds());
        let movable = call.bound.as_ref().filter(|bound| bound.movable);
        let asking = movable.and_then(|bound| Asking::of(&self.parts, bound, idle, &answer));
        let cut = Cut { at_drain: call.at_drain(), revocable: Revocable::of(&self.parts, call) };
        let telling = attempt.and_then(|attempt| Telling::of(&self.parts, call, &attempt.endpoint, &answer));
        let watched = Watched { announcing, asking, telling };
        match deliver(down, &mut upstream.wire, answer, call.deadlines(), cut, watched).await {
            Ok(Delivered::Drained) => CallEnd::Drained,
            Ok(Delivered::Revoked) => CallEnd::Revoked,
            Ok(Delivered::Whole) => {
                if reusable && !until_close && down.upload.is_done() {
                    self.upstreams.put(upstream, Instant::now());
                }
                CallEnd::Answered
            }
            Err(outcome) => {
                down.keep = false;
                let ended = Ended::silent(outcome, false, Blame::of_failure(down, call));
                match attempts::settle(&self.parts, call, ended, Instant::now()) {
                    Next::End(Ending::Abandoned) => CallEnd::Abandoned,
                    _ => match outcome {
                        Outcome::CutOff(Limit::Idle) => CallEnd::IdleTimeout,
                        Outcome::CutOff(_) => CallEnd::TotalTimeout,
                        _ => CallEnd::Broken,
                    },
                }
            }
        }
    }

    /// The server that the caller called, by the path it wrote.
    fn called(&self, down: &Downstream<'_>, call: &Call) -> Called {
        let only = call.world.only_route().map(|route| route.name.as_str());
        Called::of(down.head.path(), only.filter(|_| self.direction == Direction::Outbound))
    }

    /// Ends a call that no answer began for.
    async fn end(&self, down: &mut Downstream<'_>, call: &Call, ending: Ending) -> CallEnd {
        match ending {
            Ending::Refuse(refusal) => {
                if respond::refuse(down, call, &refusal, self.direction).await.is_err() {
                    down.keep = false;
                }
                CallEnd::Refused(refusal.shape(call.era).label)
            }
            Ending::Broken => {
                down.keep = false;
                CallEnd::Broken
            }
            Ending::Close | Ending::Abandoned => {
                down.keep = false;
                CallEnd::Abandoned
            }
        }
    }
}
