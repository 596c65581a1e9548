//! An answer that is a stream of events, as far as its framing lets the proxy speak between two of them.
//!
//! In: the head of an answer; then the payload that is passed on. Out: where a comment may stand and where the stream may end, and the
//! bytes of both.
//! Never here: when a comment is due, or whether the stream has to end.
//! Invariant: nothing is put inside an event, inside a chunk, or into a body whose length was announced.

use crate::http1::body::{BadChunk, Body, Framing};
use crate::http1::field::Name;
use crate::http1::head::ResponseHead;
use crate::mcp::sse::Scanner;

/// The events of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    scanner: Scanner,
    form: Form,
}

/// How the payload reaches the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Chunks,
    /// Up to the end of the connection.
    Bare,
    /// As long as was announced.
    Fixed,
}

impl Events {
    /// None if the answer is something else. `without_chunks`: the caller gets the payload of chunks without them.
    pub fn of(head: &ResponseHead, framing: Framing, without_chunks: bool) -> Option<Self> {
        let is_stream = head.fields.media()?.eq_ignore_ascii_case(b"text/event-stream") && head.status.is_success();
        // What is encoded has its events somewhere inside.
        if !is_stream || head.fields.has(Name::ContentEncoding) {
            return None;
        }
        let form = match framing {
            Framing::Empty => return None,
            Framing::Chunked if !without_chunks => Form::Chunks,
            Framing::Chunked | Framing::UntilClose => Form::Bare,
            Framing::Length(_) => Form::Fixed,
        };
        Some(Self { scanner: Scanner::default(), form })
    }

    /// Payload is passed on.
    pub fn pass(&mut self, payload: &[u8]) {
        self.scanner.feed(payload);
    }

    /// Whether something may be said here, or the stream be ended. `body` is what was passed on so far.
    pub fn is_between(&self, body: &Body) -> bool {
        let is_framed = match self.form {
            Form::Chunks => body.is_between_chunks(),
            Form::Bare => body.is_between_chunks() || body.ends_with_connection(),
            Form::Fixed => false,
        };
        is_framed && self.scanner.is_between()
    }

    /// Takes bytes of `body` up to the first place where the stream [is between](Self::is_between) events, or all of them. Says how many.
    pub fn pass_to_boundary(
        &mut self,
        body: &mut Body,
        bytes: &[u8],
        mut payload: impl FnMut(&[u8]),
    ) -> Result<usize, BadChunk> {
        if body.ends_with_connection() {
            let part = bytes.get(..self.scanner.feed_to_boundary(bytes)).unwrap_or(bytes);
            return body.take_with(part, payload);
        }
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if body.is_done() || self.is_between(body) {
                break;
            }
            at += body.take_chunk_with(rest, |part| {
                self.scanner.feed(part);
                payload(part);
            })?;
        }
        Ok(at)
    }

    /// An empty comment; clients ignore it.
    pub const fn comment(&self) -> &'static [u8] {
        match self.form {
            Form::Chunks => b"3\r\n:\n\n\r\n",
            Form::Bare | Form::Fixed => b":\n\n",
        }
    }

    /// What makes this the end of the body, beside the end of the connection.
    pub const fn end(&self) -> &'static [u8] {
        match self.form {
            Form::Chunks => b"0\r\n\r\n",
            Form::Bare | Form::Fixed => b"",
        }
    }
}

#[cfg(test)]
mod tests;
