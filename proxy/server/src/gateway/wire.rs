//! A connection with what was read and not yet used, and what is to be written and did not yet fit.
//!
//! In: a [`Link`]. Out: whole reads and writes, by polling. Never here: what the bytes mean.
//! Invariant: a wire that waits holds no buffers. Reading goes through one buffer of the thread; what is kept is as large as it is.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use crate::identity::link::Link;

/// The most that one read returns.
const READ_BYTES: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// One end of a call.
#[derive(Debug)]
pub struct Wire {
    link: Link,
    /// Read, and not yet used.
    pub inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// How much of the outbox was written.
    written: usize,
}

impl Wire {
    pub const fn new(link: Link) -> Self {
        Self { link, inbox: Vec::new(), outbox: Vec::new(), written: 0 }
    }

    /// The connection itself, and what was read from it and not used. Only for one on which nothing was answered yet.
    pub fn into_link(self) -> (Link, Vec<u8>) {
        (self.link, self.inbox)
    }

    /// Reads once; what came is behind what was in the inbox. 0 is the end.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let inbox = &mut self.inbox;
        read(&mut self.link, cx, |_, bytes| inbox.extend_from_slice(bytes))
    }

    /// Reads once and gives the bytes to `to`, which keeps how many of them it wants; the others go to the inbox, which must be empty.
    /// 0 is the end.
    pub fn poll_read_to(
        &mut self,
        cx: &mut Context<'_>,
        to: impl FnOnce(&mut Context<'_>, &[u8]) -> usize,
    ) -> Poll<io::Result<usize>> {
        let inbox = &mut self.inbox;
        read(&mut self.link, cx, |cx, bytes| {
            let used = to(cx, bytes);
            inbox.extend_from_slice(bytes.get(used..).unwrap_or_default());
        })
    }

    /// What is put here is written by the next flush.
    pub const fn out(&mut self) -> &mut Vec<u8> {
        &mut self.outbox
    }

    /// Writes as much as fits now and keeps the rest for the next flush.
    pub fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while self.outbox.is_empty() && !rest.is_empty() {
            match Pin::new(&mut self.link).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => rest = rest.get(count..).unwrap_or_default(),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        self.outbox.extend_from_slice(rest);
        Ok(())
    }

    /// Ready when everything was written.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.outbox.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.link).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        self.outbox = Vec::new();
        self.written = 0;
        Pin::new(&mut self.link).poll_flush(cx)
    }

    /// Lets the other end know at once that its bytes came; for when more of them are awaited.
    pub fn acknowledge(&self) {
        self.link.acknowledge();
    }

    /// Whether nothing is in it and the other end is still there, as far as is known without waiting.
    pub fn is_fresh(&mut self) -> bool {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        self.inbox.is_empty() && self.outbox.is_empty() && self.poll_read(&mut cx).is_pending()
    }

    /// Reads and throws away until the other end closes too, or `bytes_max` came.
    pub fn poll_drain(&mut self, cx: &mut Context<'_>, bytes_max: &mut usize) -> Poll<()> {
        while *bytes_max > 0 {
            match ready!(read(&mut self.link, cx, |_, _| ())) {
                Ok(0) | Err(_) => break,
                Ok(count) => *bytes_max = bytes_max.saturating_sub(count),
            }
        }
        Poll::Ready(())
    }

    /// Says goodbye.
    pub fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        Pin::new(&mut self.link).poll_shutdown(cx)
    }
}

/// Reads once, into the buffer of the thread, and gives what came to `to`; nothing where it was the end.
fn read(link: &mut Link, cx: &mut Context<'_>, to: impl FnOnce(&mut Context<'_>, &[u8])) -> Poll<io::Result<usize>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(scratch);
        ready!(Pin::new(link).poll_read(cx, &mut buffer))?;
        let bytes = buffer.filled();
        if !bytes.is_empty() {
            to(cx, bytes);
        }
        Poll::Ready(Ok(bytes.len()))
    })
}

#[cfg(test)]
mod tests;
