//! The connection below HTTP/2, with an eye on its frames.
//!
//! In: a [`Link`]. Out: the same bytes, until a budget is overdrawn; from then on nothing is read.
//! Never here: how many frames are too many; the core says so.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use outrigger_proxy_core::http2::budget::{Budget, Kind};
use outrigger_proxy_core::http2::frames::{Frames, Type};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::gateway::alarm::Alarm;
use crate::identity::link::Link;

// Closing on top of what a caller still sends would reset the connection, and the caller would never read why.
const CLOSE_TIME: Duration = Duration::from_secs(1);
const CLOSE_BYTES_MAX: usize = 1024 * 1024;

/// What the connection finds out, for who drives it.
#[derive(Debug, Default)]
pub struct Signs {
    flood: OnceLock<Kind>,
    told: AtomicBool,
    /// Answers without a body that the gateway gave and that were not seen on their way yet.
    bodiless: AtomicU32,
}

impl Signs {
    /// The gateway gives an answer without a body. Any other such answer is a refusal by the library, which refuses only what has too
    /// many fields.
    pub fn bodiless(&self) {
        self.bodiless.fetch_add(1, Ordering::Relaxed);
    }

    fn is_of_gateway(&self) -> bool {
        self.bodiless.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1)).is_ok()
    }

    /// Of what there are too many frames; once.
    pub fn take_flood(&self) -> Option<Kind> {
        let kind = *self.flood.get()?;
        (!self.told.swap(true, Ordering::Relaxed)).then_some(kind)
    }
}

/// A link whose frames are counted.
pub struct Guarded {
    link: Link,
    /// Read before HTTP/2 was recognised.
    ahead: Vec<u8>,
    incoming: Frames,
    outgoing: Frames,
    budget: Budget,
    signs: Arc<Signs>,
    closing: Option<Alarm>,
    discarded: usize,
}

impl Guarded {
    pub fn new(link: Link, ahead: Vec<u8>, signs: Arc<Signs>) -> Self {
        Self {
            link,
            ahead,
            incoming: Frames::of_caller(),
            outgoing: Frames::of_server(),
            budget: Budget::new(Instant::now()),
            signs,
            closing: None,
            discarded: 0,
        }
    }

    fn is_flooded(&self) -> bool {
        self.signs.flood.get().is_some()
    }

    fn came(&mut self, bytes: &[u8]) {
        let (budget, signs) = (&mut self.budget, &self.signs);
        self.incoming.pass(bytes, |frame| {
            if let Err(kind) = budget.came(frame, Instant::now()) {
                signs.flood.get_or_init(|| kind);
            }
        });
    }

    fn went(&mut self, bytes: &[u8]) {
        let (budget, signs) = (&mut self.budget, &self.signs);
        self.outgoing.pass(bytes, |frame| {
            let now = Instant::now();
            let refused = frame.kind() == (Type::Headers { ends: true }) && !signs.is_of_gateway();
            let counted = if refused { budget.refused_below(now) } else { budget.went(frame, now) };
            if let Err(kind) = counted {
                signs.flood.get_or_init(|| kind);
            }
        });
    }
}

impl AsyncRead for Guarded {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Who drives the connection looks for signs whenever nothing can be read.
        if this.is_flooded() {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        if this.ahead.is_empty() {
            ready!(Pin::new(&mut this.link).poll_read(cx, buffer))?;
        } else {
            let rest = this.ahead.split_off(buffer.remaining().min(this.ahead.len()));
            buffer.put_slice(&std::mem::replace(&mut this.ahead, rest));
        }
        this.came(buffer.filled().get(before..).unwrap_or_default());
        if this.is_flooded() {
            buffer.set_filled(before);
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let count = ready!(Pin::new(&mut this.link).poll_write(cx, bytes))?;
        this.went(bytes.get(..count).unwrap_or_default());
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().link).poll_flush(cx)
    }

    /// Says goodbye, and hears the caller out for a while.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.closing.is_none() {
            ready!(Pin::new(&mut this.link).poll_shutdown(cx))?;
            let mut alarm = Alarm::default();
            alarm.set(CLOSE_TIME);
            this.closing = Some(alarm);
        }
        let mut room = [0; 4 * 1024];
        while this.discarded < CLOSE_BYTES_MAX {
            let mut buffer = ReadBuf::new(&mut room);
            match Pin::new(&mut this.link).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => this.discarded += buffer.filled().len(),
                Poll::Ready(_) => break,
                Poll::Pending if this.closing.as_mut().is_some_and(|alarm| alarm.poll(cx).is_pending()) => {
                    return Poll::Pending;
                }
                Poll::Pending => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
