//! What the body of an answer mints (tasks, states of calls that go on) is known to the stores before its caller can use it.
//!
//! In: the bytes of an answer as they come. Out: whether they may pass.
//! Never here: what a mint looks like and how long it is kept; it is the core's `minted` and `plan`.
//! Invariant: bytes are held back only while a store is told of a value that ends in them, which the store bounds; everything before went on
//! already, and nothing is changed.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use outrigger_proxy_core::http1::body::{Body, Framing};
use outrigger_proxy_core::mcp::minted::{self, Mint, Minting};
use outrigger_proxy_core::world::endpoint::Endpoint;

use super::call::{Call, Way, unix_seconds};
use super::exchange::Answer;
use super::parts::GatewayParts;

/// One answer.
pub struct Telling<'c> {
    parts: &'c GatewayParts,
    call: &'c Call,
    endpoint: &'c Endpoint,
    minting: Minting,
    framing: Framing,
    body: Body,
    /// Some of the answer was looked at.
    begun: bool,
    /// All of the answer was there at once, and names nothing.
    idle: bool,
    telling: Option<Pin<Box<dyn Future<Output = ()> + Send + 'c>>>,
}

impl<'c> Telling<'c> {
    /// For answers that may mint something.
    pub fn of(parts: &'c GatewayParts, call: &'c Call, endpoint: &'c Endpoint, answer: &Answer) -> Option<Self> {
        let Some(Way::Out(plan)) = &call.way else { return None };
        let minting = plan.minting(&answer.head)?;
        Some(Self {
            parts,
            call,
            endpoint,
            minting,
            framing: answer.framing,
            body: Body::new(answer.framing),
            begun: false,
            idle: false,
            telling: None,
        })
    }

    /// Whether nothing has to be looked at any more.
    pub const fn is_over(&self) -> bool {
        (self.idle || self.minting.is_over()) && self.telling.is_none()
    }

    /// Looks at what came. Once it is ready, all of it goes on before more is shown.
    pub fn poll(&mut self, cx: &mut Context<'_>, inbox: &[u8]) -> Poll<()> {
        if !inbox.is_empty() && !std::mem::replace(&mut self.begun, true) {
            self.idle = names_nothing(self.framing, inbox);
        }
        if self.idle {
            return Poll::Ready(());
        }
        if self.telling.is_none() {
            let (minting, mut minted) = (&mut self.minting, Vec::new());
            // Who passes the bytes on finds what is malformed.
            let _ = self.body.take_with(inbox, |part| minted.extend(minting.feed(part)));
            if minted.is_empty() {
                return Poll::Ready(());
            }
            self.telling = Some(Box::pin(tell(self.parts, self.call, self.endpoint, minted)));
        }
        if let Some(telling) = &mut self.telling {
            ready!(telling.as_mut().poll(cx));
        }
        self.telling = None;
        Poll::Ready(())
    }
}

/// Whether all of an answer of known length is here, and holds the name of nothing that is minted: a look that costs far less than reading it.
fn names_nothing(framing: Framing, inbox: &[u8]) -> bool {
    let Framing::Length(length) = framing else { return false };
    let body = usize::try_from(length).ok().and_then(|length| inbox.get(..length));
    body.is_some_and(|body| !minted::is_named_in(body))
}

async fn tell(parts: &GatewayParts, call: &Call, endpoint: &Endpoint, minted: Vec<Mint>) {
    let Some(Way::Out(plan)) = &call.way else { return };
    for mint in minted {
        let learned = plan.learned(mint, endpoint, call.world.settings(), unix_seconds());
        // Another answer may have named the same before; then that one counts.
        let _ = parts.sessions.claim(learned.key, learned.binding, learned.kept).await;
    }
}
