//! `CONNECT`: an agent whose HTTP proxy we are wants bytes carried to a site, and back.
//!
//! In: the head of the request and the connection it came on. Out: whether requests follow on it, and whom they are for.
//! A tunnel to the URL of an agent of the mesh is not carried anywhere: we read the requests in it, because some clients tunnel plain
//! HTTP, and their calls are the mesh's as well. Every other one is bytes to us.
//! Invariant: a tunnel holds two buffers at most, ends when nothing moved in it for its time, and closes each direction by itself.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use outrigger_proxy_core::gate;
use outrigger_proxy_core::http1::body::Framing;
use outrigger_proxy_core::http1::head::RequestHead;
use outrigger_proxy_core::refusal::{Malformed, Refusal};
use outrigger_proxy_core::site::Site;

use super::alarm::Alarm;
use super::call::Call;
use super::closing::Place;
use super::downstream::Downstream;
use super::elsewhere::CONNECT_TIME;
use super::respond;
use super::serve::Side;
use super::upload::Upload;
use super::wire::Wire;
use crate::telemetry::CallEnd;

const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// What becomes of a connection that asked for a tunnel.
pub enum Opened {
    /// Requests to ourselves follow.
    Here,
    /// Requests to agents that are known by this site follow.
    Inside(Arc<str>),
    /// It was refused, and another request may follow.
    Refused,
    Over,
}

/// Where a tunnel leads.
enum End {
    Here,
    Inside(Site),
    There(Wire),
}

impl Side {
    /// Opens the tunnel and carries it to its end, if it is for us to carry.
    pub async fn tunnel(&self, wire: &mut Wire, alarm: &mut Alarm, place: &Place, head: RequestHead) -> Opened {
        let mut call = self.begin();
        let end = match self.lead(&call, &head).await {
            Ok(end) => end,
            Err(refusal) => {
                let upload = Upload::new(Framing::Empty, 0, self.parts.limits.body_pace);
                let down = Downstream::new(wire, alarm, place, head, upload);
                return self.refuse_tunnel(down, &call, &refusal).await;
            }
        };
        call.forwarded = true;
        wire.out().extend_from_slice(ESTABLISHED);
        let flushed = poll_fn(|cx| wire.poll_flush(cx)).await;
        let (opened, told) = match (flushed, end) {
            (Err(_), _) => (Opened::Over, CallEnd::Abandoned),
            (Ok(()), End::Here) => (Opened::Here, CallEnd::Answered),
            (Ok(()), End::Inside(site)) => (Opened::Inside(Arc::from(site.to_string())), CallEnd::Answered),
            (Ok(()), End::There(mut there)) => {
                let idle = self.parts.elsewhere.tunnel_idle;
                alarm.set(idle);
                let mut tunnel = Tunnel::default();
                let carried = poll_fn(|cx| {
                    let carried = tunnel.poll(cx, wire, &mut there, || alarm.set(idle));
                    if carried.is_pending() && alarm.poll(cx).is_ready() {
                        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
                    } else {
                        carried
                    }
                })
                .await;
                alarm.stop();
                (Opened::Over, if carried.is_ok() { CallEnd::Answered } else { CallEnd::Broken })
            }
        };
        self.tell(&call, None, told, Some(http::StatusCode::OK));
        opened
    }

    async fn lead(&self, call: &Call, head: &RequestHead) -> Result<End, Refusal> {
        let framing = gate::check(head, self.rules())?;
        if framing != Framing::Empty {
            return Err(Refusal::Malformed(Malformed::Length));
        }
        let elsewhere = &self.parts.elsewhere;
        let text = head.connects_to().unwrap_or_default();
        let site = Site::parse(text, None).ok_or(Refusal::Malformed(Malformed::Line))?;
        if self.rules().hosts.as_ref().is_some_and(|hosts| hosts.are_at(text, &site, elsewhere.outbound_port)) {
            return Ok(End::Here);
        }
        if elsewhere.outside.knows(&site, &call.world) {
            return Ok(End::Inside(site));
        }
        if !elsewhere.outside.allows(&site) {
            return Err(Refusal::ForwardNotAllowed { site: site.to_string() });
        }
        let address = elsewhere.address(&site).await?;
        let wire = self.upstreams.open(address, CONNECT_TIME).await;
        wire.map(End::There).map_err(|_| Refusal::ForwardUnreachable { site: site.to_string() })
    }

    async fn refuse_tunnel(&self, mut down: Downstream<'_>, call: &Call, refusal: &Refusal) -> Opened {
        let malformed = matches!(refusal, Refusal::Malformed(_) | Refusal::HeadTooLarge);
        down.keep &= !malformed;
        let said = respond::refuse(&mut down, call, refusal, self.direction).await;
        let keep = down.keep && said.is_ok();
        let status = down.answered;
        self.tell(call, None, CallEnd::Refused(refusal.shape(None).label), status);
        if keep { Opened::Refused } else { Opened::Over }
    }
}

/// Both directions.
#[derive(Debug, Default)]
struct Tunnel {
    up: Flow,
    down: Flow,
}

/// How far one direction has come.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Flow {
    #[default]
    Open,
    /// Its source ended; what is left is to be written.
    Ending,
    Closed,
}

impl Tunnel {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        here: &mut Wire,
        there: &mut Wire,
        mut moved: impl FnMut(),
    ) -> Poll<io::Result<()>> {
        let up = self.up.poll(cx, here, there, &mut moved)?;
        let down = self.down.poll(cx, there, here, &mut moved)?;
        if up.is_ready() && down.is_ready() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

impl Flow {
    /// Ready when this direction is closed.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Wire,
        to: &mut Wire,
        moved: &mut impl FnMut(),
    ) -> Poll<io::Result<()>> {
        loop {
            match self {
                Self::Closed => return Poll::Ready(Ok(())),
                Self::Ending => {
                    ready!(to.poll_close(cx))?;
                    *self = Self::Closed;
                }
                Self::Open => {
                    if !from.inbox.is_empty() {
                        to.out().append(&mut from.inbox);
                    }
                    // While the other end takes nothing, nothing is read.
                    ready!(to.poll_flush(cx))?;
                    let mut written = Ok(());
                    let read = from.poll_read_to(cx, |cx, bytes| {
                        written = to.write(cx, bytes);
                        bytes.len()
                    });
                    match ready!(read)? {
                        0 => *self = Self::Ending,
                        _ => moved(),
                    }
                    written?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
