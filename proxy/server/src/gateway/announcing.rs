//! The first event of a stream that may announce where messages go (2024-11-05), on its way through this proxy.
//!
//! In: the bytes of an answer as they come. Out: the same bytes, with the announced URI led through the mesh if there is one.
//! Never here: what an announcement looks like; it is the core's `announce`.
//! Invariant: nothing is held back but an event that is not whole, and of it no more than a bound; whatever follows is untouched.

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

    /// Moves an announcement from `inbox` to `out`. True while more of the first event has to come.
    pub fn look(&mut self, body: &mut Body, without_chunks: bool, inbox: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
        if !matches!(self.state, State::Waiting) {
            return false;
        }
        let Some(beginning) = Beginning::of(self.framing, inbox) else {
            self.state = State::Over(None);
            return false;
        };
        let (uri, end) = match announce::first(&beginning.payload) {
            // Sizes of chunks count as well here, so that no framing makes this wait longer.
            First::Unknown if inbox.len() < 2 * EVENT_BYTES_MAX => return true,
            First::Unknown | First::Other => {
                self.state = State::Over(None);
                return false;
            }
            First::Announcement { uri, end } => (uri, end),
        };
        let (told, held) = self.lead_through(beginning.payload.get(uri.clone()).unwrap_or_default());
        self.state = State::Over(held);
        if let (Some(told), Some(taken)) = (told, beginning.ends.get(end - 1).copied()) {
            let event = beginning.payload.get(..end).unwrap_or_default();
            let front = inbox.get(..taken).unwrap_or_default();
            // The event was whole, so the bytes up to its end can be taken.
            if body.take(front).is_ok() {
                write_event(event, uri, &told, body, without_chunks, self.framing, out);
                inbox.drain(..taken);
            }
        }
        false
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

/// The event with another URI. `body` was taken up to the end of the event; what is left of its chunk follows as it comes.
fn write_event(
    event: &[u8],
    uri: std::ops::Range<usize>,
    told: &str,
    body: &Body,
    without_chunks: bool,
    framing: Framing,
    out: &mut Vec<u8>,
) {
    let (front, back) = (event.get(..uri.start).unwrap_or_default(), event.get(uri.end..).unwrap_or_default());
    if framing == Framing::Chunked && !without_chunks {
        let length = (front.len() + told.len() + back.len()) as u64;
        out.extend_from_slice(format!("{:x}\r\n", length.saturating_add(body.left_in_chunk())).as_bytes());
    }
    for part in [front, told.as_bytes(), back] {
        out.extend_from_slice(part);
    }
}
