//! Sees when an agent asks the client of a session that could be opened again elsewhere; from then on it cannot.
//!
//! In: the payload of an answer that is a stream of events, as it goes by. Out: a session that is pinned.
//! Only answers within sessions that may move are looked at: all others cost nothing.

use std::sync::Arc;
use std::time::Duration;

use outrigger_proxy_core::http1::field::Name;
use outrigger_proxy_core::session::moving::Asks;

use super::call::Bound;
use super::exchange::Answer;
use super::parts::GatewayParts;

/// One stream that is looked at.
pub struct Asking {
    asks: Asks,
    parts: Arc<GatewayParts>,
    bound: Bound,
    idle: Duration,
}

impl Asking {
    /// None if the answer carries no requests. Of one that is encoded nobody knows, and its session stays where it is.
    pub fn of(parts: &Arc<GatewayParts>, bound: &Bound, idle: Duration, answer: &Answer) -> Option<Self> {
        let fields = &answer.head.fields;
        if !fields.media()?.eq_ignore_ascii_case(b"text/event-stream") {
            return None;
        }
        if fields.has(Name::ContentEncoding) {
            parts.sessions.pin(bound.key, &bound.binding, idle);
            return None;
        }
        Some(Self { asks: Asks::default(), parts: Arc::clone(parts), bound: bound.clone(), idle })
    }

    pub fn feed(&mut self, payload: &[u8]) {
        if self.asks.seen() {
            return;
        }
        self.asks.feed(payload);
        if self.asks.seen() {
            self.parts.sessions.pin(self.bound.key, &self.bound.binding, self.idle);
        }
    }
}
