//! What it takes to open a session again elsewhere, and what forbids it.
//!
//! In: the answer to a repeated `initialize`; the events that a session's streams carry. Out: whether the session may go on.
//! Never here: where it goes; that is the plan's.
//! Source: 2025-11-25 `basic/lifecycle` (initialization) and `basic/transports` (protocol version header).
//! Invariant: a session in which the agent asked the client something is never opened again: the answer would reach a stranger.

use crate::mcp::envelope::{Envelope, Scanner};
use crate::refusal::fault::Fault;

/// The largest `initialize` that is kept with a session.
pub const OPENING_BYTES_MAX: usize = 16 * 1024;
/// How often one call may move before it is told that its session is gone.
pub const MOVES_OF_ONE_CALL_MAX: u32 = 2;

/// The first revision whose clients say it in a header.
const SAID_SINCE: &str = "2025-06-18";

/// Whether a session that was opened again speaks the revision that its client was told. `said` is the header of the client's call.
pub fn is_same_revision(agreed: &str, said: Option<&[u8]>) -> bool {
    match said {
        Some(said) => said == agreed.as_bytes(),
        // Dates in this form are in the order of their text.
        None => agreed < SAID_SINCE,
    }
}

/// Whether a request binds its session to the process that answers it.
pub fn binds(request: &Envelope<'_>) -> bool {
    // An array may hold anything, and is not taken apart.
    request.is_batch() || request.method().as_deref() == Some("resources/subscribe")
}

/// Looks for requests of the agent among the events of a stream. What cannot be read counts as one.
#[derive(Debug, Default)]
pub struct Asks {
    line: Line,
    /// Of the line under way: what came of its name, up to the longest that matters.
    name: [u8; NAME.len()],
    name_length: usize,
    after_cr: bool,
    /// The data of the event under way.
    message: Option<Box<Scanner>>,
    /// How much of it came.
    at: usize,
    seen: bool,
}

const NAME: &[u8] = b"data";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Line {
    #[default]
    Start,
    Name,
    /// Behind the colon of a line of data; one blank there belongs to nobody.
    Colon,
    Data,
    Other,
}

impl Asks {
    /// Takes the next bytes of the stream, in any pieces.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !self.seen && !rest.is_empty() {
            let end = memchr::memchr2(b'\n', b'\r', rest);
            let (line, behind) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, &[]));
            self.part_of_line(line);
            rest = match behind.split_first() {
                Some((b'\n', behind)) if std::mem::take(&mut self.after_cr) && line.is_empty() => behind,
                Some((end, behind)) => {
                    self.after_cr = *end == b'\r';
                    self.end_line();
                    behind
                }
                None => behind,
            };
        }
    }

    /// Whether the agent asked.
    pub const fn seen(&self) -> bool {
        self.seen
    }

    fn part_of_line(&mut self, mut part: &[u8]) {
        while let (Line::Start | Line::Name | Line::Colon, Some((&byte, behind))) = (self.line, part.split_first()) {
            self.after_cr = false;
            match (self.line, byte) {
                (Line::Colon, b' ') => part = behind,
                (Line::Colon, _) => {}
                (_, b':') => {
                    let is_data = self.name.get(..self.name_length) == Some(NAME);
                    self.line = if is_data { Line::Colon } else { Line::Other };
                    part = behind;
                    continue;
                }
                (_, byte) => {
                    match self.name.get_mut(self.name_length) {
                        Some(place) => {
                            (*place, self.line) = (byte, Line::Name);
                            self.name_length += 1;
                        }
                        None => self.line = Line::Other,
                    }
                    part = behind;
                    continue;
                }
            }
            self.line = Line::Data;
        }
        if self.line == Line::Data && !part.is_empty() {
            self.data(part);
        }
    }

    fn data(&mut self, part: &[u8]) {
        let scanner = self.message.get_or_insert_default();
        self.seen |= scanner.feed(self.at, part).is_err();
        self.at = self.at.saturating_add(part.len());
    }

    fn end_line(&mut self) {
        match self.line {
            // An empty line ends an event.
            Line::Start => {
                if let Some(mut message) = self.message.take() {
                    let finished = message.finish();
                    let envelope = message.envelope(&[]);
                    self.seen |= match finished {
                        // Servers send an event without data so that its id can be told.
                        Err(Fault::Empty) => false,
                        Err(_) => true,
                        Ok(()) => envelope.is_request() || envelope.is_batch(),
                    };
                }
                self.at = 0;
            }
            Line::Data => self.data(b"\n"),
            Line::Name | Line::Colon | Line::Other => {}
        }
        (self.line, self.name_length) = (Line::Start, 0);
    }
}

#[cfg(test)]
mod tests;
