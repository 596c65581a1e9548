//! The body of a request on its way to the agent.
//!
//! In: the caller's wire and the agent's. Out: bytes moved as they come, or what is wrong with them.
//! Invariant: what was sent stays in the caller's inbox, up to a limit and until an answer is accepted, so that an attempt which
//! reached nobody can be made again with the same bytes.

use std::io;
use std::task::{Context, Poll, ready};

use outrigger_proxy_core::http1::body::{Body, Framing};
use outrigger_proxy_core::mcp::envelope::PEEK_BYTES_MAX;
use outrigger_proxy_core::refusal::{Malformed, Refusal};

use super::wire::Wire;

/// What is kept of a body for another attempt.
const KEPT_BYTES_MAX: usize = 64 * 1024;
/// So much may wait to be written before more is read.
const OUTBOX_BYTES_MAX: usize = 64 * 1024;

/// One body, and how much of it went up.
#[derive(Debug)]
pub struct Upload {
    framing: Framing,
    body: Body,
    bytes_max: u64,
    /// Bytes of the inbox that went up in this attempt.
    sent: usize,
    keeping: bool,
}

/// Why a body does not go up.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error("the caller left")]
    CallerLeft,
    #[error("the agent takes no more")]
    Agent(#[source] io::Error),
    #[error("the body is refused")]
    Refused(Refusal),
}

impl Upload {
    pub const fn new(framing: Framing, bytes_max: u64) -> Self {
        Self { framing, body: Body::new(framing), bytes_max, sent: 0, keeping: true }
    }

    /// As declared; none where only the end will tell.
    pub const fn length(&self) -> Option<u64> {
        match self.framing {
            Framing::Length(length) => Some(length),
            Framing::Empty => Some(0),
            Framing::Chunked | Framing::UntilClose => None,
        }
    }

    pub fn is_done(&self) -> bool {
        self.body.is_done()
    }

    /// Whether everything that was sent is still there.
    pub const fn can_restart(&self) -> bool {
        self.keeping
    }

    /// The next attempt begins with the first byte.
    pub const fn restart(&mut self) {
        self.body = Body::new(self.framing);
        self.sent = 0;
    }

    /// Nothing needs to be kept any more.
    pub fn release(&mut self, caller: &mut Wire) {
        self.keeping = false;
        self.drop_sent(caller);
    }

    /// Moves bytes until the body is done and written. `progress` is told when bytes came.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        caller: &mut Wire,
        agent: &mut Wire,
        mut progress: impl FnMut(),
    ) -> Poll<Result<(), UploadError>> {
        loop {
            // Before the first flush: a head and the body that came with it are one write.
            self.move_inbox(caller, agent)?;
            ready!(agent.poll_flush(cx)).map_err(UploadError::Agent)?;
            if self.is_done() {
                return Poll::Ready(Ok(()));
            }
            if caller.inbox.len() > self.sent {
                continue;
            }
            let came = if self.keeping { caller.poll_read(cx) } else { self.poll_straight(cx, caller, agent)? };
            match ready!(came) {
                Ok(0) | Err(_) => return Poll::Ready(Err(UploadError::CallerLeft)),
                Ok(_) => progress(),
            }
        }
    }

    /// The payload that came so far, from its beginning and up to [`PEEK_BYTES_MAX`]; nothing once it is not kept any more.
    pub fn beginning(&self, inbox: &[u8]) -> Vec<u8> {
        let mut seen = Vec::new();
        if self.keeping {
            // What is malformed is refused when it is sent; until there it can be looked at.
            let _ = Body::new(self.framing).take_with(inbox, |part| {
                let room = PEEK_BYTES_MAX.saturating_sub(seen.len());
                seen.extend_from_slice(part.get(..room).unwrap_or(part));
            });
        }
        seen
    }

    /// Reads until [`Self::beginning`] has all that there will be.
    pub fn poll_beginning(&self, cx: &mut Context<'_>, caller: &mut Wire) -> Poll<()> {
        loop {
            let mut body = Body::new(self.framing);
            let broken = body.take(&caller.inbox).is_err();
            let enough = body.is_done() || body.payload() >= PEEK_BYTES_MAX as u64;
            if enough || broken || !self.keeping || caller.inbox.len() >= KEPT_BYTES_MAX {
                return Poll::Ready(());
            }
            match ready!(caller.poll_read(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
    }

    /// Reads the whole payload into `out`; nothing of it is kept for another attempt.
    pub fn poll_whole(
        &mut self,
        cx: &mut Context<'_>,
        caller: &mut Wire,
        out: &mut Vec<u8>,
    ) -> Poll<Result<(), UploadError>> {
        self.keeping = false;
        loop {
            let malformed = |_| UploadError::Refused(Refusal::Malformed(Malformed::Chunk));
            let taken = self.body.take_with(&caller.inbox, |part| out.extend_from_slice(part));
            self.sent = taken.map_err(malformed)?;
            self.drop_sent(caller);
            if self.body.payload() > self.bytes_max {
                return Poll::Ready(Err(UploadError::Refused(Refusal::BodyTooLarge { bytes_max: self.bytes_max })));
            }
            if self.is_done() {
                return Poll::Ready(Ok(()));
            }
            match ready!(caller.poll_read(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(Err(UploadError::CallerLeft)),
                Ok(_) => {}
            }
        }
    }

    /// Reads the rest of the body and throws it away, up to `bytes_max`. Whether its end was reached.
    pub fn poll_discard(&mut self, cx: &mut Context<'_>, caller: &mut Wire, bytes_max: u64) -> Poll<bool> {
        self.keeping = false;
        loop {
            self.drop_sent(caller);
            match self.body.take(&caller.inbox) {
                Ok(taken) => self.sent = taken,
                Err(_) => return Poll::Ready(false),
            }
            self.drop_sent(caller);
            if self.is_done() {
                return Poll::Ready(true);
            }
            if self.body.payload() > bytes_max {
                return Poll::Ready(false);
            }
            match ready!(caller.poll_read(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(false),
                Ok(_) => {}
            }
        }
    }

    fn move_inbox(&mut self, caller: &mut Wire, agent: &mut Wire) -> Result<(), UploadError> {
        let fresh = caller.inbox.get(self.sent..).unwrap_or_default();
        if self.is_done() || fresh.is_empty() || agent.out().len() >= OUTBOX_BYTES_MAX {
            return Ok(());
        }
        let taken = self.take(fresh)?;
        agent.out().extend_from_slice(fresh.get(..taken).unwrap_or_default());
        self.sent += taken;
        if !self.keeping || self.sent > KEPT_BYTES_MAX {
            self.keeping = false;
            self.drop_sent(caller);
        }
        Ok(())
    }

    /// From one socket to the other; used once nothing is kept.
    fn poll_straight(
        &mut self,
        cx: &mut Context<'_>,
        caller: &mut Wire,
        agent: &mut Wire,
    ) -> Result<Poll<io::Result<usize>>, UploadError> {
        let mut wrong = None;
        let came = caller.poll_read_to(cx, |cx, bytes| match self.take(bytes) {
            Ok(taken) => {
                if let Err(error) = agent.write(cx, bytes.get(..taken).unwrap_or_default()) {
                    wrong = Some(UploadError::Agent(error));
                }
                taken
            }
            Err(error) => {
                wrong = Some(error);
                0
            }
        });
        wrong.map_or(Ok(came), Err)
    }

    fn take(&mut self, bytes: &[u8]) -> Result<usize, UploadError> {
        let refused = |refusal| UploadError::Refused(refusal);
        let taken = self.body.take(bytes).map_err(|_| refused(Refusal::Malformed(Malformed::Chunk)))?;
        if self.body.payload() > self.bytes_max {
            return Err(refused(Refusal::BodyTooLarge { bytes_max: self.bytes_max }));
        }
        Ok(taken)
    }

    fn drop_sent(&mut self, caller: &mut Wire) {
        if self.sent >= caller.inbox.len() {
            caller.inbox = Vec::new();
        } else {
            caller.inbox.drain(..self.sent);
        }
        self.sent = 0;
    }
}

#[cfg(test)]
mod tests;
