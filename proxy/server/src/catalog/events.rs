//! Server-sent events, taken apart and made.
//!
//! In: pieces of a body as they come. Out: the data of each event, and the last id that was told.
//! Source: WHATWG HTML section 9.2.
//! Invariant: one event holds at most [`EVENT_BYTES_MAX`] bytes.

use std::collections::VecDeque;

pub const EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A stream that is being read.
#[derive(Debug, Default)]
pub struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    after_return: bool,
    ready: VecDeque<Vec<u8>>,
    /// With it a stream that broke off can be taken up again.
    pub last_id: Option<String>,
    /// How long the server wants a caller to wait before that, in milliseconds.
    pub retry: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
#[error("an event is larger than {EVENT_BYTES_MAX} bytes")]
pub struct TooLarge;

impl Events {
    pub fn take(&mut self, piece: &[u8]) -> Result<(), TooLarge> {
        for byte in piece {
            match byte {
                b'\n' if self.after_return => {}
                b'\n' | b'\r' => self.end_line(),
                byte => self.line.push(*byte),
            }
            self.after_return = *byte == b'\r';
            if self.line.len() + self.data.len() > EVENT_BYTES_MAX {
                return Err(TooLarge);
            }
        }
        Ok(())
    }

    /// The data of the next whole event.
    pub fn next(&mut self) -> Option<Vec<u8>> {
        self.ready.pop_front()
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            if !self.data.is_empty() {
                self.ready.push_back(std::mem::take(&mut self.data));
            }
            return;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at_checked(colon).unwrap_or((&line, &[]));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let text = || std::str::from_utf8(value).ok();
        match name {
            b"data" => {
                if !self.data.is_empty() {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            b"id" => self.last_id = text().filter(|id| !id.is_empty() && id.len() <= 1_024).map(str::to_owned),
            b"retry" => self.retry = text().and_then(|text| text.parse().ok()).or(self.retry),
            _ => {}
        }
    }
}

/// One event with a message in it.
pub fn event(message: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 32);
    out.extend_from_slice(b"event: message\n");
    for line in message.split(['\n', '\r']) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests;
