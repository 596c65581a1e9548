//! The frames of one direction of a connection, seen by their headers alone.
//!
//! In: the bytes that pass, in any pieces. Out: each frame as soon as the nine bytes of its header passed.
//! Invariant: nothing of a payload is kept, and a frame is seen once.

/// What a caller sends first (RFC 9113 section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const HEADER_BYTES: usize = 9;
const FLAG_ACK: u8 = 0x1;
const FLAG_END_STREAM: u8 = 0x1;

/// The header of a frame, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    pub length: u32,
    kind: u8,
    flags: u8,
}

/// What a frame is (RFC 9113 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Data {
        ends: bool,
    },
    Headers {
        ends: bool,
    },
    Priority,
    Reset,
    Settings,
    /// The answer to a `SETTINGS` or `PING` of ours.
    Acknowledgement,
    Ping,
    WindowUpdate,
    Continuation,
    /// `GOAWAY`, `PUSH_PROMISE` and what is not known.
    Other,
}

impl Frame {
    fn of(header: [u8; HEADER_BYTES]) -> Self {
        let [high, middle, low, kind, flags, ..] = header;
        Self { length: u32::from_be_bytes([0, high, middle, low]), kind, flags }
    }

    pub const fn kind(self) -> Type {
        let ends = self.flags & FLAG_END_STREAM != 0;
        match self.kind {
            0 => Type::Data { ends },
            1 => Type::Headers { ends },
            2 => Type::Priority,
            3 => Type::Reset,
            4 | 6 if self.flags & FLAG_ACK != 0 => Type::Acknowledgement,
            4 => Type::Settings,
            6 => Type::Ping,
            8 => Type::WindowUpdate,
            9 => Type::Continuation,
            _ => Type::Other,
        }
    }
}

/// Where one direction stands.
#[derive(Debug, Clone)]
pub struct Frames {
    /// Bytes that pass before the next header begins.
    skip: usize,
    header: [u8; HEADER_BYTES],
    filled: usize,
}

impl Frames {
    /// What a caller sends: its preface, then frames.
    pub const fn of_caller() -> Self {
        Self::after(PREFACE.len())
    }

    /// What we send.
    pub const fn of_server() -> Self {
        Self::after(0)
    }

    const fn after(skip: usize) -> Self {
        Self { skip, header: [0; HEADER_BYTES], filled: 0 }
    }

    /// Lets bytes pass; `seen` is given each frame whose header is whole.
    pub fn pass(&mut self, bytes: &[u8], mut seen: impl FnMut(Frame)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let skipped = self.skip.min(rest.len());
            self.skip -= skipped;
            rest = rest.get(skipped..).unwrap_or_default();
            let room = self.header.get_mut(self.filled..).unwrap_or_default();
            let taken = if self.skip > 0 { 0 } else { room.len().min(rest.len()) };
            let (now, later) = rest.split_at(taken);
            for (place, byte) in room.iter_mut().zip(now) {
                *place = *byte;
            }
            self.filled += taken;
            rest = later;
            if self.filled == HEADER_BYTES {
                let frame = Frame::of(self.header);
                self.filled = 0;
                self.skip = frame.length as usize;
                seen(frame);
            }
        }
    }
}

#[cfg(test)]
mod tests;
