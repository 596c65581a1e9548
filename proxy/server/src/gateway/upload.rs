//! The body of a request on its way to the agent.
//!
//! In: the caller's wire and the agent's. Out: bytes moved as they come, or what is wrong with them.
//! Invariants: what was sent stays in the caller's inbox, up to a limit and until an answer is accepted, so that an attempt which
//! reached nobody can be made again with the same bytes. Of a body that is read as it goes by, nothing behind a fault goes up: the agent
//! never gets the end of it.

use std::borrow::Cow;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use outrigger_proxy_core::http1::body::{Body, Framing};
use outrigger_proxy_core::mcp::envelope::probe::Wants;
use outrigger_proxy_core::mcp::envelope::{Envelope, KeptId, RawId, Scanner};
use outrigger_proxy_core::refusal::{Malformed, Refusal};

use super::pace::{Pace, Pacer};
use super::wire::Wire;

/// What is kept of a body for another attempt where no route says it, and what of it can be here before the call is planned.
const KEPT_BYTES_MAX: usize = 64 * 1024;
/// So much may wait to be written before more is read.
const OUTBOX_BYTES_MAX: usize = 64 * 1024;

/// One body, and how much of it went up.
#[derive(Debug)]
pub struct Upload {
    framing: Framing,
    body: Body,
    bytes_max: u64,
    /// Follows the framing ahead of what is sent, and how much of the inbox it has seen.
    ahead: Body,
    framed: usize,
    /// Bytes of the inbox that went up in this attempt.
    sent: usize,
    keeping: bool,
    /// How much is kept for another attempt.
    kept_max: usize,
    pacer: Pacer,
    /// Reads the payload as it goes by, if anything wants to know what it is.
    scanner: Option<Scanner>,
    /// Of a body that was not kept.
    id: Option<KeptId>,
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
    pub const fn new(framing: Framing, bytes_max: u64, pace: Pace) -> Self {
        let (body, pacer) = (Body::new(framing), Pacer::new(pace));
        let ahead = Body::new(framing);
        let (keeping, kept_max) = (true, KEPT_BYTES_MAX);
        Self { framing, body, bytes_max, ahead, framed: 0, sent: 0, keeping, kept_max, pacer, scanner: None, id: None }
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

    /// Keeps no more than this for another attempt.
    pub const fn keep_at_most(&mut self, bytes_max: usize) {
        self.kept_max = bytes_max;
    }

    /// How much of what went up is still there.
    pub const fn kept(&self) -> usize {
        self.sent
    }

    /// All that went up, as it was framed, if it is all there is and still here.
    pub fn gone_up<'a>(&self, inbox: &'a [u8]) -> Option<&'a [u8]> {
        inbox.get(..self.sent).filter(|_| self.keeping && self.is_done())
    }

    /// The payload, if all of it is here.
    pub fn all<'a>(&self, inbox: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let mut body = Body::new(self.framing);
        let is_all = self.keeping && body.take(inbox).is_ok() && body.is_done();
        is_all.then(|| self.beginning(inbox))
    }

    /// Counts all of it as gone up, because something else goes up in its place; it can still be sent again.
    pub fn pass(&mut self, inbox: &[u8]) {
        self.restart();
        self.sent = self.body.take(inbox).unwrap_or_default();
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
            match ready!(self.paced(came)) {
                Ok(0) | Err(_) => return Poll::Ready(Err(UploadError::CallerLeft)),
                Ok(_) => progress(),
            }
        }
    }

    /// Whether as much of the body is in `inbox` as is kept for another attempt.
    pub fn is_here(&self, inbox: &[u8]) -> bool {
        let mut body = Body::new(self.framing);
        // What is malformed will not get better.
        body.take(inbox).is_err() || body.is_done() || inbox.len() >= KEPT_BYTES_MAX
    }

    /// From now on the body is read as it goes by, beginning with what is here of it, and `wants` are looked for. Whether all of it is
    /// here. What is malformed in its framing is refused when it is sent.
    pub fn look(&mut self, inbox: &[u8], wants: impl FnOnce() -> Wants) -> Result<bool, Refusal> {
        let scanner = self.scanner.get_or_insert_with(|| Scanner::wanting(wants()));
        let (mut body, mut at, mut read) = (Body::new(self.framing), 0, Ok(()));
        let framed = body.take_with(inbox, |part| {
            read = read.and_then(|()| scanner.feed(at, part));
            at += part.len();
        });
        read.map_err(Refusal::NotAMessage)?;
        let whole = framed.is_ok() && body.is_done();
        if whole {
            scanner.finish().map_err(Refusal::NotAMessage)?;
        }
        Ok(whole)
    }

    /// The payload that came so far, from its beginning; nothing once it is not kept any more.
    pub fn beginning<'a>(&self, inbox: &'a [u8]) -> Cow<'a, [u8]> {
        if !self.keeping {
            return Cow::Borrowed(&[]);
        }
        if let Framing::Length(length) = self.framing {
            return Cow::Borrowed(inbox.get(..usize::try_from(length).unwrap_or(usize::MAX)).unwrap_or(inbox));
        }
        let mut seen = Vec::new();
        // What is malformed is refused when it is sent; until there it can be looked at.
        let _ = Body::new(self.framing).take_with(inbox, |part| seen.extend_from_slice(part));
        Cow::Owned(seen)
    }

    /// All of the payload, if it went up whole, is still here, and is no larger than `bytes_max`.
    pub fn whole(&self, inbox: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
        let is_here = self.keeping && self.is_done();
        is_here.then(|| self.beginning(inbox).into_owned()).filter(|whole| whole.len() <= bytes_max)
    }

    /// What is known of the message in `beginning`; only where the body is read as it goes by.
    pub fn envelope<'a>(&self, beginning: &'a [u8]) -> Option<Envelope<'a>> {
        Some(self.scanner.as_ref()?.envelope(beginning))
    }

    /// The id of the message, as far as it is known from `beginning` or was seen before.
    pub fn id<'a>(&'a self, beginning: &'a [u8]) -> Option<RawId<'a>> {
        self.id.as_ref().map(KeptId::raw).or_else(|| Envelope::glimpse(beginning).id())
    }

    /// Reads until [`Self::beginning`] has all that there will be.
    pub fn poll_beginning(&mut self, cx: &mut Context<'_>, caller: &mut Wire) -> Poll<()> {
        loop {
            let fresh = caller.inbox.get(self.framed..).unwrap_or_default();
            let Ok(taken) = self.ahead.take(fresh) else { return Poll::Ready(()) };
            self.framed += taken;
            if self.ahead.is_done() || !self.keeping || caller.inbox.len() >= KEPT_BYTES_MAX {
                return Poll::Ready(());
            }
            let came = caller.poll_read(cx);
            match ready!(self.paced(came)) {
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

    /// When the caller will have been too slow, if nothing comes.
    pub fn due(&self) -> Option<Instant> {
        self.pacer.due()
    }

    /// Whether the caller does not send what it began to send.
    pub fn is_overdue(&self) -> bool {
        self.pacer.is_waiting() && self.pacer.is_overdue(Instant::now())
    }

    /// Takes the time of a read from the caller.
    fn paced(&mut self, came: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &came {
            Poll::Pending if !self.pacer.is_waiting() => self.pacer.wait(Instant::now()),
            // What was never waited for took no time.
            Poll::Ready(Ok(count)) if self.pacer.is_waiting() => self.pacer.came(*count, Instant::now()),
            Poll::Pending | Poll::Ready(_) => {}
        }
        came
    }

    fn move_inbox(&mut self, caller: &mut Wire, agent: &mut Wire) -> Result<(), UploadError> {
        let fresh = caller.inbox.get(self.sent..).unwrap_or_default();
        if self.is_done() || fresh.is_empty() || agent.out().len() >= OUTBOX_BYTES_MAX {
            return Ok(());
        }
        let taken = self.take(fresh)?;
        agent.out().extend_from_slice(fresh.get(..taken).unwrap_or_default());
        self.sent += taken;
        if !self.keeping || self.sent > self.kept_max {
            if self.keeping {
                let seen = self.beginning(&caller.inbox);
                self.id = self.id(&seen).map(RawId::kept);
            }
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
        let taken = match &mut self.scanner {
            None => self.body.take(bytes),
            Some(scanner) => {
                let mut at = usize::try_from(self.body.payload()).unwrap_or(usize::MAX);
                let mut read = Ok(());
                let taken = self.body.take_with(bytes, |part| {
                    read = read.and_then(|()| scanner.feed(at, part));
                    at = at.saturating_add(part.len());
                });
                if self.body.is_done() {
                    read = read.and_then(|()| scanner.finish());
                }
                read.map_err(|fault| refused(Refusal::NotAMessage(fault)))?;
                taken
            }
        };
        let taken = taken.map_err(|_| refused(Refusal::Malformed(Malformed::Chunk)))?;
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
