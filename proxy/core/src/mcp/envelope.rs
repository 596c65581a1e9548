//! The outside of a JSON-RPC message: what it is, its `id`, its `method`, and the few members of `params` that routing looks at.
//!
//! In: the payload of a body, in pieces, through a [`Scanner`]. Out: a [`Fault`] if it is no message, else an [`Envelope`].
//! Why so strict: two servers that take one body apart in two ways are what an attacker needs. What passes here is one JSON text in UTF-8
//! in which each key that decides anything stands once, however it is spelled; the bytes go on as they came.
//! Never here: a tree of the body, or a judgement on what is asked.
//! Invariant: an id that is handed on is exactly one valid JSON string or number, so it can stand in an answer as it is.

mod number;
mod text;
mod short;
mod watch;
pub mod probe;
mod scanner;

use std::borrow::Cow;
use std::ops::Range;

use crate::refusal::fault::Fault;
use probe::Values;
pub use scanner::{DEPTH_MAX, Scanner};
use watch::{Found, Token};

/// Longest id that is repeated in an answer of ours.
pub const ID_BYTES_MAX: usize = 256;

/// An id as the caller wrote it: a JSON string or number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawId<'a>(&'a [u8]);

/// The same, kept when the body is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptId(Box<[u8]>);

/// What a scanner found so far. Texts are taken out of the body only when they are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    found: Found,
    values: Values,
    body: &'a [u8],
    batch: bool,
}

impl<'a> RawId<'a> {
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    pub fn kept(self) -> KeptId {
        KeptId(self.0.into())
    }
}

impl KeptId {
    pub fn raw(&self) -> RawId<'_> {
        RawId(&self.0)
    }
}

impl Scanner {
    /// What was found so far in `body`, the payload from its first byte as far as it is at hand.
    pub fn envelope<'a>(&self, body: &'a [u8]) -> Envelope<'a> {
        let watch = self.watch();
        Envelope { found: watch.found, values: self.values(), body, batch: watch.batch }
    }
}

impl<'a> Envelope<'a> {
    /// Scans one whole body.
    pub fn read(body: &'a [u8]) -> Result<Self, Fault> {
        let mut scanner = Scanner::default();
        scanner.feed(0, body)?;
        scanner.finish()?;
        Ok(scanner.envelope(body))
    }

    /// What can be told of a body that may be cut off or wrong; for answers that repeat its id.
    pub fn glimpse(body: &'a [u8]) -> Self {
        let mut scanner = Scanner::default();
        // What was found before the fault still stands.
        let _ = scanner.feed(0, body);
        scanner.envelope(body)
    }

    /// None too in a batch: an answer of ours is about all of it.
    pub fn id(&self) -> Option<RawId<'a>> {
        let token = self.found.id.filter(|_| !self.batch)?;
        let bytes = self.body.get(token.start..token.end)?;
        (bytes.len() <= ID_BYTES_MAX).then_some(RawId(bytes))
    }

    pub fn method(&self) -> Option<Cow<'a, str>> {
        self.text(self.found.method)
    }

    /// `params.name`: of a tool or a prompt.
    pub fn name(&self) -> Option<Cow<'a, str>> {
        self.text(self.found.name)
    }

    /// Where that stands in the body, with its quotes.
    pub fn name_at(&self) -> Option<Range<usize>> {
        let token = self.found.name.filter(|_| !self.batch)?;
        Some(token.start..token.end)
    }

    /// `params.uri`: of a resource.
    pub fn uri(&self) -> Option<Cow<'a, str>> {
        self.text(self.found.uri)
    }

    /// `params.taskId`.
    pub fn task(&self) -> Option<Cow<'a, str>> {
        self.text(self.found.task)
    }

    /// The revision in `params._meta` (2026-07-28 `basic/index`).
    pub fn revision(&self) -> Option<Cow<'a, str>> {
        self.text(self.found.revision)
    }

    /// What was wanted of the message.
    pub const fn values(&self) -> &Values {
        &self.values
    }

    /// `params` holds `requestState` or `inputResponses`: the call goes on from an answer that asked for input.
    pub const fn continues(&self) -> bool {
        self.found.continues()
    }

    /// `params` holds `task`: the caller asks for a task in place of an answer (2025-11-25).
    pub const fn asks_for_task(&self) -> bool {
        self.found.asks_for_task()
    }

    /// Answers something. Can be told without the body at hand.
    pub const fn is_response(&self) -> bool {
        self.found.is_response()
    }

    /// Expects an answer. Can be told without the body at hand.
    pub const fn is_request(&self) -> bool {
        self.found.method.is_some() && self.found.id.is_some()
    }

    /// The body is an array of messages (2025-03-26 only).
    pub const fn is_batch(&self) -> bool {
        self.batch
    }

    fn text(&self, token: Option<Token>) -> Option<Cow<'a, str>> {
        let token = token.filter(|_| !self.batch)?;
        text::text(self.body.get(token.start..token.end)?)
    }
}

#[cfg(test)]
mod tests;
