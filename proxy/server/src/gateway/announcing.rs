//! The first event of a stream that may announce where messages go (2024-11-05), on its way through this proxy.
//!
//! In: the bytes of an answer as they come. Out: the same bytes, with the announced URI led through the mesh if there is one.
//! Never here: what an announcement looks like; it is the core's `announce`.
//! Invariant: nothing is held back but an event that is not whole, and of it no more than a bound; whatever follows is untouched.

use std::ops::Range;
use std::sync::Arc;

use outrigger_proxy_core::announce::{self, EVENT_BYTES_MAX, First, Message};
use outrigger_proxy_core::asked::Part;
use outrigger_proxy_core::http1::body::{Body, Framing};
use outrigger_proxy_core::site::Site;
use outrigger_proxy_core::world::endpoint::{Endpoint, Place};

use super::announced::Held;
use super::downstream::Downstream;
use super::exchange::Answer;
use super::parts::GatewayParts;
use crate::telemetry::Announcement;

/// One stream.
pub struct Announcing {
    parts: Arc<GatewayParts>,
    endpoint: Arc<Endpoint>,
    /// The path that the caller called.
    called: String,
    framing: Framing,
    state: State,
}

/// What is done with the bytes of a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// The first event is not whole yet.
    Wait,
    Pass,
    /// The first `front` bytes, framing included, go on as this event.
    Replace {
        front: usize,
        event: Vec<u8>,
    },
}

enum State {
    Waiting,
    /// Nothing more is looked at; what was announced is kept.
    Over(#[allow(dead_code, reason = "held for its end")] Option<Held>),
}

/// The beginning of a body.
struct Beginning {
    payload: Vec<u8>,
    /// Where in the bytes that came each byte of the payload ends.
    ends: Vec<usize>,
}

impl Announcing {
    /// For answers that may begin with an announcement.
    pub fn of(
        parts: &Arc<GatewayParts>,
        down: &Downstream<'_>,
        endpoint: &Arc<Endpoint>,
        answer: &Answer,
    ) -> Option<Self> {
        let streams = matches!(answer.framing, Framing::Chunked | Framing::UntilClose);
        let may = streams
            && down.part == Part::Endpoint
            && announce::may_announce(down.head.method(), &down.head.fields, &answer.head);
        may.then(|| Self {
            parts: Arc::clone(parts),
            endpoint: Arc::clone(endpoint),
            called: down.head.path().to_owned(),
            framing: answer.framing,
            state: State::Waiting,
        })
    }

    pub fn is_chunked(&self) -> bool {
        self.framing == Framing::Chunked
    }

    /// What to do with the bytes that came so far; once it is not to wait any more, all that follows passes.
    pub fn look(&mut self, inbox: &[u8]) -> Look {
        if !matches!(self.state, State::Waiting) {
            return Look::Pass;
        }
        let beginning = Beginning::of(self.framing, inbox);
        let (beginning, first) = match &beginning {
            Some(beginning) => (beginning, announce::first(&beginning.payload)),
            None => return self.pass(),
        };
        let (uri, end) = match first {
            // Sizes of chunks count as well here, so that no framing makes this wait longer.
            First::Unknown if inbox.len() < 2 * EVENT_BYTES_MAX => return Look::Wait,
            First::Unknown | First::Other => return self.pass(),
            First::Announcement { uri, end } => (uri, end),
        };
        let part = |range: Range<usize>| beginning.payload.get(range).unwrap_or_default();
        let (told, held) = self.lead_through(part(uri.clone()));
        self.state = State::Over(held);
        match (told, beginning.ends.get(end - 1).copied()) {
            (Some(told), Some(front)) => {
                Look::Replace { front, event: [part(0..uri.start), told.as_bytes(), part(uri.end..end)].concat() }
            }
            _ => Look::Pass,
        }
    }

    fn pass(&mut self) -> Look {
        self.state = State::Over(None);
        Look::Pass
    }

    /// What the caller is told instead, and what is kept for that.
    fn lead_through(&self, uri: &[u8]) -> (Option<String>, Option<Held>) {
        let (told, held) = match &self.endpoint.place {
            Place::Peer { .. } => {
                let message = announce::of_peer(uri, &self.endpoint.lead.path, self.endpoint.replica.as_str());
                (message.map(|message| message.uri(&self.called)), None)
            }
            Place::Own { upstream } => {
                let site = upstream.authority().and_then(|site| Site::parse(site.as_str(), Some(80)));
                let path = site.and_then(|site| announce::of_agent(uri, &site, upstream.path()));
                let held = path.as_deref().and_then(|path| self.parts.announced.hold(&self.endpoint.replica, path));
                let query = path.as_deref().and_then(|path| path.split_once('?')).map_or("", |(_, query)| query);
                let replica = self.endpoint.replica.as_str();
                let told = held.as_ref().map(|held| Message { replica, token: held.token, query }.uri(&self.called));
                (told, held)
            }
        };
        let result = if told.is_some() { Announcement::Rewritten } else { Announcement::Foreign };
        self.parts.events.endpoint_announced(self.endpoint.replica.as_str(), result);
        (told, held)
    }
}

impl Beginning {
    /// None if the bytes break the rules of their framing; whoever passes them on will find that.
    fn of(framing: Framing, inbox: &[u8]) -> Option<Self> {
        let mut body = Body::new(framing);
        let mut beginning = Self { payload: Vec::new(), ends: Vec::new() };
        for (at, byte) in inbox.iter().enumerate() {
            if beginning.payload.len() > EVENT_BYTES_MAX {
                break;
            }
            let Self { payload, ends } = &mut beginning;
            let part = |part: &[u8]| {
                payload.extend_from_slice(part);
                ends.push(at + 1);
            };
            body.take_with(std::slice::from_ref(byte), part).ok()?;
        }
        Some(beginning)
    }
}
