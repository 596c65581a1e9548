//! Room for a number of calls at once, and the line of those that wait for it.
//!
//! In: calls that come and go. Out: guards, and places in a line that are called one after the other.
//! Never here: how long anybody waits.
//! Invariant: never more calls are inside than the limit says; a place that becomes free is handed to who waits, and nobody who comes
//! later takes it. Without anybody waiting, coming and going takes no lock.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::line::{Line, Who};

/// Room that is shared.
#[derive(Debug, Default)]
pub struct Room {
    inside: AtomicU32,
    waiting: AtomicUsize,
    line: Mutex<Line<Arc<Ticket>>>,
}

/// A call that is inside, until it is dropped.
#[derive(Debug)]
pub struct Inside {
    room: Arc<Room>,
    limit: u32,
}

/// A call that waits, until it is dropped.
#[derive(Debug)]
pub struct Waiting {
    room: Arc<Room>,
    who: Who,
    limit: u32,
    ticket: Arc<Ticket>,
    /// Also counted there, where all that wait for one pool are.
    crowd: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Ticket {
    /// A place was handed over.
    called: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// What a call finds at the door.
#[derive(Debug)]
pub enum Door {
    Inside(Inside),
    Waiting(Waiting),
    /// As many wait as may.
    Full,
}

impl Room {
    /// At most `limit` are inside. `crowd` counts those that wait here and elsewhere, of which there may be `queue`.
    pub fn enter(self: &Arc<Self>, who: Who, limit: u32, crowd: &Arc<AtomicUsize>, queue: usize) -> Door {
        if self.waiting.load(Ordering::SeqCst) == 0 && self.take(limit) {
            return Door::Inside(Inside { room: Arc::clone(self), limit });
        }
        if crowd
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| (count < queue).then_some(count + 1))
            .is_err()
        {
            return Door::Full;
        }
        let ticket = Arc::new(Ticket::default());
        {
            let mut line = self.line();
            self.waiting.fetch_add(1, Ordering::SeqCst);
            line.join(who, Arc::clone(&ticket));
        }
        // Whoever left before it saw this one wait has called nobody.
        self.call(limit);
        Door::Waiting(Waiting { room: Arc::clone(self), who, limit, ticket, crowd: Arc::clone(crowd) })
    }

    /// Calls inside.
    pub fn inside(&self) -> u32 {
        self.inside.load(Ordering::Relaxed)
    }

    /// Calls that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn take(&self, limit: u32) -> bool {
        let more = |inside: u32| (inside < limit.max(1)).then_some(inside + 1);
        self.inside.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }

    fn leave(&self, limit: u32) {
        self.inside.fetch_sub(1, Ordering::SeqCst);
        self.call(limit);
    }

    /// Hands what is free to those that wait.
    fn call(&self, limit: u32) {
        while self.waiting.load(Ordering::SeqCst) != 0 {
            let mut line = self.line();
            if line.count() == 0 || !self.take(limit) {
                return;
            }
            let Some(ticket) = line.call_next() else { return };
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            ticket.called.store(true, Ordering::SeqCst);
            drop(line);
            let waker = ticket.waker.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn line(&self) -> MutexGuard<'_, Line<Arc<Ticket>>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Ready once it was called.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.ticket.called.load(Ordering::SeqCst) {
            *self.ticket.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
            if !self.ticket.called.load(Ordering::SeqCst) {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    /// The place that was handed to it, once it was called.
    pub fn enter(self) -> Option<Inside> {
        let was_called = self.ticket.called.swap(false, Ordering::SeqCst);
        was_called.then(|| Inside { room: Arc::clone(&self.room), limit: self.limit })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.crowd.fetch_sub(1, Ordering::Relaxed);
        {
            let mut line = self.room.line();
            if line.leave(self.who, |ticket| Arc::ptr_eq(ticket, &self.ticket)) {
                self.room.waiting.fetch_sub(1, Ordering::SeqCst);
            }
        }
        // It was called, and does not come.
        if self.ticket.called.swap(false, Ordering::SeqCst) {
            self.room.leave(self.limit);
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.room.leave(self.limit);
    }
}

#[cfg(test)]
mod tests;
