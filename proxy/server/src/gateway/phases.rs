//! The phases of a call, in pingora's order. Each says what happens then; how is in the rooms beside.
//!
//! Invariant: a call ends in exactly one way, and `logging` tells it once.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_model::resource::Serial;
use outrigger_model::route::Timeouts;
use outrigger_proxy_core::gate;
use outrigger_proxy_core::mcp::headers;
use outrigger_proxy_core::mcp::method::Method;
use outrigger_proxy_core::outcome::{Outcome, REFUSAL_HEADER};
use outrigger_proxy_core::refusal::{Malformed, Refusal};
use outrigger_proxy_core::world::endpoint::Place;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, ErrorType, Result};
use tracing::{debug, warn};

use super::attempts::{self, Next};
use super::call::{Call, Ending, Way};
use super::parts::GatewayParts;
use super::{body, inbound, outbound, respond, rewrite, serve, upstream};
use crate::identity::link::Link;
use crate::telemetry::{CallEnd, CallReport, Direction};

/// One side of the gateway.
pub struct Phases {
    parts: Arc<GatewayParts>,
    direction: Direction,
    addresses: upstream::Addresses,
}

impl Phases {
    pub fn new(parts: Arc<GatewayParts>, direction: Direction) -> Self {
        Self { parts, direction, addresses: upstream::Addresses::default() }
    }

    /// Everything that can be said of a call before a connection is made for it.
    async fn settle(&self, session: &mut Session, call: &mut Call) -> Result<(), Ending> {
        let rules = match self.direction {
            Direction::Outbound => &self.parts.outbound_rules,
            Direction::Inbound => &self.parts.inbound_rules,
        };
        gate::check(session.req_header(), rules).map_err(Ending::Refuse)?;
        if body::is_framed_twice(session) {
            return Err(Ending::Refuse(Refusal::Malformed(Malformed::LengthAndEncoding)));
        }
        if body::length(session).is_some_and(|length| length > self.parts.limits.body_bytes_max) {
            return Err(Ending::Refuse(self.too_large()));
        }
        match self.direction {
            Direction::Outbound => outbound::settle(&self.parts, session, call).await,
            Direction::Inbound => inbound::settle(session, call),
        }
    }

    fn too_large(&self) -> Refusal {
        Refusal::BodyTooLarge { bytes_max: self.parts.limits.body_bytes_max as u64 }
    }

    /// Ends the call the way it was settled; the status that the caller saw, 0 for none.
    async fn end(&self, session: &mut Session, call: &mut Call, ending: Ending) -> u16 {
        if !matches!(ending, Ending::Refuse(_)) {
            session.set_keepalive(None);
        }
        match ending {
            Ending::Refuse(_) if respond::has_answered(session) => call.end = Some(CallEnd::Broken),
            Ending::Refuse(refusal) => {
                let said = respond::refuse(session, call, &refusal, self.direction).await;
                return said.unwrap_or(0);
            }
            Ending::Broken => call.end = Some(CallEnd::Broken),
            Ending::Close | Ending::Abandoned => call.end = Some(CallEnd::Abandoned),
        }
        0
    }

    /// The next attempt: an endpoint, and the connection to it described.
    async fn attempt(&self, session: &mut Session, call: &mut Call) -> Result<Box<HttpPeer>> {
        loop {
            let picked = match self.direction {
                Direction::Outbound => outbound::pick(&self.parts, session, call).await,
                Direction::Inbound => inbound::pick(call),
            };
            let endpoint = picked.map_err(|ending| {
                call.ending = Some(ending);
                attempts::error(Next::End)
            })?;
            call.attempt(Arc::clone(&endpoint));
            match upstream::peer(&endpoint, timeouts(call), &self.addresses).await {
                Ok(peer) => return Ok(Box::new(peer)),
                Err(error) => {
                    debug!(replica = %endpoint.replica, %error, "the host of an agent has no address that answers");
                    match attempts::settle(&self.parts, session, call, Outcome::ConnectFailed) {
                        Next::Again => {}
                        next => return Err(attempts::error(next)),
                    }
                }
            }
        }
    }

    /// What broke an attempt that had a connection.
    fn outcome_of(session: &Session, error: &Error) -> Outcome {
        let answered = respond::has_answered(session);
        let late = link(session).is_some_and(Link::is_late);
        match (error.esource(), answered) {
            (_, false) if late => Outcome::TimedOut,
            (_, true) if late => Outcome::BrokeOff,
            (ErrorSource::Downstream, _) => Outcome::CallerLeft,
            (_, true) => Outcome::BrokeOff,
            (_, false) => Outcome::Lost,
        }
    }
}

fn link(session: &Session) -> Option<&Link> {
    session.as_ref().stream().and_then(Link::below)
}

fn timeouts(call: &Call) -> Timeouts {
    match &call.way {
        Some(Way::Out(plan)) => plan.timeouts(),
        // The caller's proxy knows the route and its limits; ours only end what nobody waits for any more.
        Some(Way::In(_)) | None => Timeouts { first_byte: Duration::from_secs(24 * 3_600), ..Timeouts::default() },
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[async_trait]
impl ProxyHttp for Phases {
    type CTX = Call;

    fn new_ctx(&self) -> Call {
        Call::new(self.parts.worlds.current(), self.parts.events.call_started(self.direction))
    }

    /// None: no compression, so that nothing holds bytes back.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn early_request_filter(&self, session: &mut Session, _call: &mut Call) -> Result<()> {
        serve::begin_request(session.as_mut());
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, call: &mut Call) -> Result<bool> {
        if let Err(ending) = self.settle(session, call).await {
            self.end(session, call, ending).await;
            return Ok(true);
        }
        body::say_continue(session).await?;
        Ok(false)
    }

    async fn upstream_peer(&self, session: &mut Session, call: &mut Call) -> Result<Box<HttpPeer>> {
        let peer = self.attempt(session, call).await?;
        if let Some(link) = link(session) {
            link.expect_progress_within(timeouts(call).first_byte + timeouts(call).connect);
        }
        Ok(peer)
    }

    fn fail_to_connect(
        &self,
        session: &mut Session,
        _peer: &HttpPeer,
        call: &mut Call,
        error: Box<Error>,
    ) -> Box<Error> {
        if let Some(endpoint) = call.endpoint() {
            let replica = endpoint.replica.as_str();
            match error.etype() {
                // Said once per ejection: a human has to look at certificates.
                ErrorType::InvalidCert | ErrorType::TLSHandshakeFailure
                    if !endpoint.live.is_ejected(Instant::now()) =>
                {
                    warn!(replica, %error, "an endpoint did not prove its identity");
                }
                _ => debug!(replica, %error, "an endpoint could not be connected to"),
            }
        }
        attempts::error(attempts::settle(&self.parts, session, call, Outcome::ConnectFailed))
    }

    async fn upstream_request_filter(
        &self,
        _session: &mut Session,
        head: &mut RequestHeader,
        call: &mut Call,
    ) -> Result<()> {
        match &call.attempt {
            Some(attempt) => rewrite::request(head, &attempt.endpoint),
            None => Err(attempts::error(Next::End)),
        }
    }

    async fn request_body_filter(
        &self,
        session: &mut Session,
        bytes: &mut Option<Bytes>,
        _end_of_stream: bool,
        call: &mut Call,
    ) -> Result<()> {
        call.body_bytes += bytes.as_ref().map_or(0, Bytes::len);
        if call.body_bytes > self.parts.limits.body_bytes_max {
            call.ending = Some(Ending::Refuse(self.too_large()));
            return Err(attempts::error(Next::End));
        }
        if let Some(link) = link(session)
            && !respond::has_answered(session)
        {
            link.expect_progress_within(timeouts(call).first_byte);
        }
        Ok(())
    }

    async fn upstream_response_filter(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        call: &mut Call,
    ) -> Result<()> {
        if head.status.is_informational() {
            return Ok(());
        }
        let Some(endpoint) = call.endpoint() else { return Err(attempts::error(Next::End)) };
        // Only a peer's proxy speaks for itself with this header; from an agent it means nothing.
        let refusal = match &endpoint.place {
            Place::Peer { .. } => head.headers.get(REFUSAL_HEADER).map(|label| label.as_bytes()),
            Place::Own { .. } => None,
        };
        let outcome = Outcome::of_answer(head.status, refusal);
        match attempts::settle(&self.parts, session, call, outcome) {
            Next::Pass => {}
            next => return Err(attempts::error(next)),
        }
        call.first_byte = Some(call.began.elapsed());
        if let Some(link) = link(session) {
            match timeouts(call).idle {
                Some(idle) => link.expect_progress_within(idle),
                None => link.expect_no_progress(),
            }
        }
        if let Some(Way::Out(plan)) = &call.way {
            let now = unix_seconds();
            let lesson = plan.lesson(&endpoint, head.status, headers::minted(&head.headers), now);
            self.parts.sessions.obey(lesson, call.world.settings().session_idle, now).await;
        }
        rewrite::answer(head);
        Ok(())
    }

    fn response_body_filter(
        &self,
        session: &mut Session,
        _bytes: &mut Option<Bytes>,
        _end_of_stream: bool,
        call: &mut Call,
    ) -> Result<Option<Duration>> {
        if let (Some(idle), Some(link)) = (timeouts(call).idle, link(session)) {
            link.expect_progress_within(idle);
        }
        Ok(None)
    }

    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        session: &mut Session,
        error: Box<Error>,
        call: &mut Call,
        _reused: bool,
    ) -> Box<Error> {
        if attempts::is_ours(&error) {
            return error;
        }
        debug!(%error, "an attempt broke off");
        let outcome = Self::outcome_of(session, &error);
        attempts::error(attempts::settle(&self.parts, session, call, outcome))
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, call: &mut Call) -> FailToProxy {
        if let Some(link) = link(session) {
            link.expect_no_progress();
        }
        let left = *error.esource() == ErrorSource::Downstream;
        let ending = call.ending.take().unwrap_or(match left {
            true => Ending::Abandoned,
            false => Ending::Refuse(Refusal::Internal),
        });
        // pingora gives the connection up after an error, whatever is said here.
        session.set_keepalive(None);
        let error_code = self.end(session, call, ending).await;
        FailToProxy { error_code, can_reuse_downstream: false }
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, call: &mut Call) {
        if let Some(link) = link(session) {
            link.expect_no_progress();
        }
        let end = call.end.unwrap_or(if error.is_some() { CallEnd::Abandoned } else { CallEnd::Answered });
        let replica = call.endpoint();
        self.parts.events.call_finished(&CallReport {
            direction: self.direction,
            route: call.way.as_ref().map(Way::name),
            end,
            status: session.as_ref().response_written().map_or(0, |head| head.status.as_u16()),
            attempts: call.attempts,
            took: call.began.elapsed(),
            first_byte: call.first_byte,
            replica: replica.as_ref().map(|endpoint| endpoint.replica.as_str()),
            method: call.method.map(Method::label),
            serial: call.world.serial().map_or(0, |Serial(serial)| serial),
        });
        call.attempt = None;
    }

    fn suppress_error_log(&self, _session: &Session, _call: &Call, _error: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _session: &Session,
        _call: &Call,
        _error: &Error,
        _context: ProxyWarnLogContext,
    ) -> bool {
        true
    }
}
