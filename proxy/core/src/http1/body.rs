//! How long a body is, and where it ends.
//!
//! In: a head; then the bytes of the body, in any pieces. Out: how many of them belong to the body, and which are its payload.
//! Invariant: what is taken is passed on as it came, so chunks are checked strictly: a server behind us must find the same end.
//! Source: RFC 9112 sections 6 and 7.

use http::StatusCode;

use crate::http1::field::{Fields, Name};
use crate::http1::head::ResponseHead;
use crate::refusal::Malformed;

/// More digits than any size that fits into memory.
const SIZE_DIGITS_MAX: u8 = 15;
/// Longest extension of a chunk's size; extensions mean nothing to us.
const LINE_BYTES_MAX: usize = 4 * 1024;
/// Most bytes of all trailer fields of one body.
const TRAILER_BYTES_MAX: usize = 16 * 1024;

/// What ends a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Empty,
    Length(u64),
    Chunked,
    /// Of an answer only: the end of the connection.
    UntilClose,
}

/// The beginning of a trailer's name, long enough to know each that we act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Lettered {
    letters: [u8; 20],
    length: u8,
}

/// The chunks of a body break the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("chunks are malformed")]
pub struct BadChunk;

/// Finds the end of one body.
#[derive(Debug, Clone)]
pub struct Body {
    state: State,
    payload: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Done,
    Length(u64),
    UntilClose,
    /// The digits of a chunk's size.
    Size {
        size: u64,
        digits: u8,
    },
    /// Blanks behind a size; only an extension may follow (RFC 9112 section 7.1.1).
    Blank {
        size: u64,
        bytes: usize,
    },
    Extension {
        size: u64,
        bytes: usize,
    },
    SizeLf {
        size: u64,
    },
    Chunk {
        left: u64,
    },
    ChunkCr,
    ChunkLf,
    /// The beginning of a trailer line; `bytes` are those of all lines before.
    Trailer {
        bytes: usize,
    },
    TrailerName {
        bytes: usize,
        name: Lettered,
    },
    TrailerValue {
        bytes: usize,
    },
    TrailerLf {
        bytes: usize,
    },
    LastLf,
}

impl Framing {
    /// RFC 9112 section 6.3: who sends both lengths, or two of one, may be smuggling a second request.
    pub fn of_request(fields: &Fields, is_http10: bool) -> Result<Self, Malformed> {
        if !fields.has(Name::ContentLength) && !fields.has(Name::TransferEncoding) {
            return Ok(Self::Empty);
        }
        let length = fields.once(Name::ContentLength).map_err(|_| Malformed::Length)?;
        let encoding = fields.once(Name::TransferEncoding).map_err(|_| Malformed::Encoding)?;
        match (length, encoding) {
            (Some(_), Some(_)) => Err(Malformed::LengthAndEncoding),
            (Some(length), None) => number(length).map(Self::of_length).ok_or(Malformed::Length),
            (None, Some(encoding)) if encoding.eq_ignore_ascii_case(b"chunked") && !is_http10 => Ok(Self::Chunked),
            (None, Some(_)) => Err(Malformed::Encoding),
            (None, None) => Ok(Self::Empty),
        }
    }

    /// The framing of an answer, which depends on what was asked. `None` where it cannot be told.
    pub fn of_answer(head: &ResponseHead, to_head_request: bool) -> Option<Self> {
        let bodiless =
            head.status.is_informational() || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if to_head_request || bodiless {
            return Some(Self::Empty);
        }
        let fields = &head.fields;
        match (fields.has(Name::TransferEncoding), fields.has(Name::ContentLength)) {
            (true, true) => None,
            (true, false) if fields.lists(Name::TransferEncoding, "chunked") => {
                fields.once(Name::TransferEncoding).ok().map(|_| Self::Chunked)
            }
            (true, false) | (false, false) => Some(Self::UntilClose),
            (false, true) => fields.once(Name::ContentLength).ok().flatten().and_then(number).map(Self::of_length),
        }
    }

    const fn of_length(length: u64) -> Self {
        if length == 0 { Self::Empty } else { Self::Length(length) }
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    let good = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    good.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

impl Body {
    pub const fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Empty => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size { size: 0, digits: 0 },
            Framing::UntilClose => State::UntilClose,
        };
        Self { state, payload: 0 }
    }

    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the end of the connection is the end of this body.
    pub fn ends_with_connection(&self) -> bool {
        self.state == State::UntilClose
    }

    /// How much of a chunk that has begun is still to come.
    pub const fn left_in_chunk(&self) -> u64 {
        match self.state {
            State::Chunk { left } => left,
            _ => 0,
        }
    }

    /// Bytes of payload that were taken so far; framing does not count.
    pub const fn payload(&self) -> u64 {
        self.payload
    }

    /// How many bytes at the front of `bytes` belong to this body: all of them, or those up to its end.
    pub fn take(&mut self, bytes: &[u8]) -> Result<usize, BadChunk> {
        self.take_with(bytes, |_| ())
    }

    /// The same; `payload` is given the parts that are not framing.
    pub fn take_with(&mut self, bytes: &[u8], payload: impl FnMut(&[u8])) -> Result<usize, BadChunk> {
        self.take_until(bytes, payload, |_| false)
    }

    /// The same, up to the end of a chunk if one comes before.
    pub fn take_chunk_with(&mut self, bytes: &[u8], payload: impl FnMut(&[u8])) -> Result<usize, BadChunk> {
        self.take_until(bytes, payload, State::is_between_chunks)
    }

    /// Whether the next byte begins a chunk, or the end behind the last one.
    pub fn is_between_chunks(&self) -> bool {
        self.state.is_between_chunks()
    }

    fn take_until(
        &mut self,
        bytes: &[u8],
        mut payload: impl FnMut(&[u8]),
        is_enough: impl Fn(State) -> bool,
    ) -> Result<usize, BadChunk> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let room = match self.state {
                State::Done => break,
                State::UntilClose => u64::MAX,
                State::Length(left) | State::Chunk { left } => left,
                state => {
                    self.state = state.after(*rest.first().ok_or(BadChunk)?)?;
                    at += 1;
                    if is_enough(self.state) {
                        break;
                    }
                    continue;
                }
            };
            let part = rest.get(..usize::try_from(room).unwrap_or(usize::MAX)).unwrap_or(rest);
            payload(part);
            at += part.len();
            let taken = part.len() as u64;
            self.payload = self.payload.saturating_add(taken);
            self.state = match self.state {
                State::Length(left) if left == taken => State::Done,
                State::Length(left) => State::Length(left - taken),
                State::Chunk { left } if left == taken => State::ChunkCr,
                State::Chunk { left } => State::Chunk { left: left - taken },
                state => state,
            };
        }
        Ok(at)
    }
}

impl Lettered {
    fn with(mut self, letter: u8) -> Self {
        if let Some(place) = self.letters.get_mut(usize::from(self.length)) {
            *place = letter;
        }
        self.length = self.length.saturating_add(1);
        self
    }

    /// Whoever joins trailers with the head would read framing, routing and identity anew (RFC 9110 section 6.5.1).
    fn may_trail(&self) -> bool {
        match self.letters.get(..usize::from(self.length)) {
            Some(whole) => Name::of(whole) == Name::Other,
            None => Name::of(&self.letters) != Name::Ours,
        }
    }
}

/// A letter of a field's name (RFC 9110 section 5.6.2).
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

impl State {
    fn is_between_chunks(self) -> bool {
        self == Self::Size { size: 0, digits: 0 }
    }

    /// The state after one byte of the lines between and behind chunks.
    fn after(self, byte: u8) -> Result<Self, BadChunk> {
        let is_text = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
        match (self, byte) {
            (Self::Size { size, digits }, _) if byte.is_ascii_hexdigit() && digits < SIZE_DIGITS_MAX => {
                let digit = char::from(byte).to_digit(16).ok_or(BadChunk)?;
                Ok(Self::Size { size: size << 4 | u64::from(digit), digits: digits + 1 })
            }
            (Self::Size { digits: 0, .. }, _) => Err(BadChunk),
            (Self::Size { size, .. } | Self::Extension { size, .. }, b'\r') => Ok(Self::SizeLf { size }),
            (Self::Size { size, .. } | Self::Blank { size, .. }, b';') => Ok(Self::Extension { size, bytes: 1 }),
            (Self::Size { size, .. }, b' ' | b'\t') => Ok(Self::Blank { size, bytes: 1 }),
            (Self::Blank { size, bytes }, b' ' | b'\t') if bytes < LINE_BYTES_MAX => {
                Ok(Self::Blank { size, bytes: bytes + 1 })
            }
            (Self::Extension { size, bytes }, _) if is_text && bytes < LINE_BYTES_MAX => {
                Ok(Self::Extension { size, bytes: bytes + 1 })
            }
            (Self::SizeLf { size: 0 }, b'\n') => Ok(Self::Trailer { bytes: 0 }),
            (Self::SizeLf { size }, b'\n') => Ok(Self::Chunk { left: size }),
            (Self::ChunkCr, b'\r') => Ok(Self::ChunkLf),
            (Self::ChunkLf, b'\n') => Ok(Self::Size { size: 0, digits: 0 }),
            (Self::Trailer { .. }, b'\r') => Ok(Self::LastLf),
            (Self::Trailer { bytes }, _) if is_token(byte) => {
                Ok(Self::TrailerName { bytes: bytes + 1, name: Lettered::default().with(byte) })
            }
            (Self::TrailerName { bytes, name }, _) if is_token(byte) && bytes < TRAILER_BYTES_MAX => {
                Ok(Self::TrailerName { bytes: bytes + 1, name: name.with(byte) })
            }
            (Self::TrailerName { bytes, name }, b':') if name.may_trail() => {
                Ok(Self::TrailerValue { bytes: bytes + 1 })
            }
            (Self::TrailerValue { bytes }, b'\r') => Ok(Self::TrailerLf { bytes }),
            (Self::TrailerValue { bytes }, _) if is_text && bytes < TRAILER_BYTES_MAX => {
                Ok(Self::TrailerValue { bytes: bytes + 1 })
            }
            (Self::TrailerLf { bytes }, b'\n') => Ok(Self::Trailer { bytes }),
            (Self::LastLf, b'\n') => Ok(Self::Done),
            _ => Err(BadChunk),
        }
    }
}

#[cfg(test)]
mod tests;
