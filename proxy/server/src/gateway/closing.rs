//! How connections learn that their listener stops.
//!
//! In: connections as they begin and end. Out: a [`Place`] for each, which wakes its connection when the listener goes a stage further.
//! Why not one signal that all wait for: each would be on one shared list again with every call. Here a connection is entered once.
//! Invariant: a stage is never taken back. Whoever is still accepted finds the stage as it is.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;

use futures_util::task::AtomicWaker;
use outrigger_proxy_core::mcp::facts::Caller;

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stage {
    Open,
    /// Each connection carries one call more at most, and may wait for it; streams that clients open again end.
    Parting,
    /// Calls end, and connections without a call end now.
    Draining,
    /// Everything ends now.
    Cut,
}

/// All connections of one listener.
#[derive(Debug, Default)]
pub struct Closing(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    stage: u8,
    next: u64,
    places: HashMap<u64, Arc<Bell>>,
}

#[derive(Debug, Default)]
struct Bell {
    stage: AtomicU8,
    waker: AtomicWaker,
}

/// One connection's; it leaves when this is dropped.
#[derive(Debug)]
pub struct Place {
    closing: Arc<Closing>,
    number: u64,
    bell: Arc<Bell>,
    /// Who is at the other end, if that was proved.
    peer: Option<Caller>,
}

impl Closing {
    /// None once no more is served.
    pub fn enter(self: &Arc<Self>) -> Option<Place> {
        let inside = self.inside();
        (inside.stage < Stage::Draining as u8).then(|| self.place(inside))
    }

    /// For a connection that was accepted, at whatever stage: it is told like the others.
    pub fn admit(self: &Arc<Self>) -> Place {
        self.place(self.inside())
    }

    fn place(self: &Arc<Self>, mut inside: MutexGuard<'_, Inside>) -> Place {
        let number = inside.next;
        inside.next += 1;
        let bell = Arc::new(Bell { stage: AtomicU8::new(inside.stage), ..Bell::default() });
        inside.places.insert(number, Arc::clone(&bell));
        Place { closing: Arc::clone(self), number, bell, peer: None }
    }

    /// Tells every connection; a stage is never taken back.
    pub fn go(&self, stage: Stage) {
        let mut inside = self.inside();
        inside.stage = inside.stage.max(stage as u8);
        for bell in inside.places.values() {
            bell.stage.fetch_max(stage as u8, Ordering::AcqRel);
            bell.waker.wake();
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// A place of its own for a part of this connection; none once no more is served.
    pub fn beside(&self) -> Option<Self> {
        Some(self.closing.enter()?.of(self.peer.clone()))
    }

    /// The same of somebody who proved who it is.
    pub fn of(mut self, peer: Option<Caller>) -> Self {
        self.peer = peer;
        self
    }

    pub const fn peer(&self) -> Option<&Caller> {
        self.peer.as_ref()
    }

    /// The stage now; the task of `cx` is woken when it changes.
    pub fn poll_stage(&self, cx: &Context<'_>) -> Stage {
        self.bell.waker.register(cx.waker());
        self.stage()
    }

    pub fn stage(&self) -> Stage {
        match self.bell.stage.load(Ordering::Acquire) {
            0 => Stage::Open,
            1 => Stage::Parting,
            2 => Stage::Draining,
            _ => Stage::Cut,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.closing.inside().places.remove(&self.number);
    }
}

#[cfg(test)]
mod tests;
