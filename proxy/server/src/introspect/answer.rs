//! Finds the answer to one request in a body: JSON, or a stream of events.
//!
//! In: the pieces of a body as they come. Out: the JSON-RPC message that carries our id, once it is whole.
//! Source: 2025-03-26 and later, `basic/transports`: a server may answer a POST with either; a stream may carry requests
//! and notifications before the answer. WHATWG HTML section 9.2 for the form of events.
//! Invariant: keeps at most [`BODY_BYTES_MAX`] bytes.

use serde_json::Value;

/// Most bytes of one answer: thousands of tools with their schemas.
pub(super) const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A body that is being read.
#[derive(Debug)]
pub(super) struct Reader {
    id: u64,
    events: bool,
    bytes: Vec<u8>,
    taken: usize,
    /// The data of the event that is being read.
    data: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
#[error("answer is larger than {BODY_BYTES_MAX} bytes")]
pub(super) struct TooLarge;

impl Reader {
    /// `events`: the body is `text/event-stream`.
    pub(super) fn new(id: u64, events: bool) -> Self {
        Self { id, events, bytes: Vec::new(), taken: 0, data: Vec::new() }
    }

    /// Takes the next piece; the answer, if an event that ended in it carries it.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<Option<Value>, TooLarge> {
        self.taken += piece.len();
        if self.taken > BODY_BYTES_MAX {
            return Err(TooLarge);
        }
        self.bytes.extend_from_slice(piece);
        if !self.events {
            return Ok(None);
        }
        let mut start = 0;
        let mut found = None;
        while found.is_none() {
            let rest = self.bytes.get(start..).unwrap_or_default();
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
            let line = rest.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            start += end + 1;
            if line.is_empty() {
                found = message(&std::mem::take(&mut self.data), self.id);
            } else if let Some(data) = line.strip_prefix(b"data:") {
                if !self.data.is_empty() {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
            }
        }
        self.bytes.drain(..start);
        Ok(found)
    }

    /// The body has ended.
    pub(super) fn finish(self) -> Option<Value> {
        if self.events { message(&self.data, self.id) } else { message(&self.bytes, self.id) }
    }
}

/// The message, if it answers the request `id`. An error may lack the id, for instance if the server could not read ours.
fn message(bytes: &[u8], id: u64) -> Option<Value> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let ours = value.get("id").is_some_and(|found| found.as_u64() == Some(id));
    let is_result = ours && value.get("result").is_some_and(Value::is_object);
    let is_error =
        value.get("error").is_some_and(Value::is_object) && (ours || value.get("id").is_none_or(Value::is_null));
    (is_result || is_error).then_some(value)
}

#[cfg(test)]
mod tests;
