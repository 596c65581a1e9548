//! Takes server-sent events apart into JSON messages.
//!
//! In: bytes as they come. Out: the JSON of each event's data; events without data (priming, keep-alive) are skipped.
//! Source: WHATWG HTML, server-sent events; lines end with LF, CRLF or CR.
//! Invariant: never holds more than [`EVENT_BYTES_MAX`].

use serde_json::Value;

/// Largest event that is read.
pub const EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum EventError {
    #[error("an event is larger than {EVENT_BYTES_MAX} bytes")]
    Large,
    #[error("an event holds no JSON")]
    Json(#[from] serde_json::Error),
}

/// What has come of the stream and is not yet an event.
#[derive(Debug, Default)]
pub struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    after_cr: bool,
}

impl Events {
    /// Takes more bytes and gives the messages that are complete with them.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Vec<Value>, EventError> {
        let mut messages = Vec::new();
        for &byte in bytes {
            let ends = match byte {
                b'\n' => !std::mem::take(&mut self.after_cr),
                b'\r' => {
                    self.after_cr = true;
                    true
                }
                other => {
                    self.after_cr = false;
                    self.line.push(other);
                    false
                }
            };
            if ends && let Some(message) = self.end_line()? {
                messages.push(message);
            }
            if self.line.len() + self.data.len() > EVENT_BYTES_MAX {
                return Err(EventError::Large);
            }
        }
        Ok(messages)
    }

    fn end_line(&mut self) -> Result<Option<Value>, EventError> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            if data.iter().all(u8::is_ascii_whitespace) {
                return Ok(None);
            }
            return Ok(Some(serde_json::from_slice(&data)?));
        }
        if let Some(value) = line.strip_prefix(b"data:") {
            self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
            self.data.push(b'\n');
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
