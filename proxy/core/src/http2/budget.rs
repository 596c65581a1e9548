//! How many frames of a kind a connection may send.
//!
//! In: frames as they pass in both directions, and `now`. Out: nothing, or the kind of which there were too many.
//! Why: a frame of control costs its sender nine bytes and us an answer, a queue or a look-up. Honest callers send few, or send them
//! because of payload; so each kind has tokens, which come back with time and with useful frames.
//! Invariant: without useful frames a connection sends at most `burst` frames of a kind, and `per_second` more each second.

use std::time::Instant;

use super::frames::{Frame, Type};

/// Frames that can be a flood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    Ping,
    Settings,
    Priority,
    WindowUpdate,
    /// The caller takes a request back.
    Reset,
    /// The caller made us reset its request.
    MadeReset,
    /// The caller's fields were too many, and nobody but HTTP/2 itself answered: a few bytes can name kilobytes that are in the table.
    Oversized,
    Continuation,
    /// `DATA` without data that does not end a body.
    EmptyData,
    Other,
}

/// The tokens of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub burst: u32,
    pub per_second: u32,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::Ping,
        Self::Settings,
        Self::Priority,
        Self::WindowUpdate,
        Self::Reset,
        Self::MadeReset,
        Self::Oversized,
        Self::Continuation,
        Self::EmptyData,
        Self::Other,
    ];

    /// As metrics and logs call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Settings => "settings",
            Self::Priority => "priority",
            Self::WindowUpdate => "window_update",
            Self::Reset => "reset",
            Self::MadeReset => "made_reset",
            Self::Oversized => "oversized",
            Self::Continuation => "continuation",
            Self::EmptyData => "empty_data",
            Self::Other => "other",
        }
    }

    pub const fn allowance(self) -> Allowance {
        let (burst, per_second) = match self {
            Self::Ping => (100, 10),
            Self::Settings => (20, 1),
            // Browsers of the past described a tree of priorities at the start.
            Self::Priority => (100, 10),
            Self::WindowUpdate => (1_000, 50),
            // A caller that cancels takes requests back, and may do so for all that it has open.
            Self::Reset => (200, 20),
            Self::MadeReset => (100, 10),
            Self::Oversized => (20, 1),
            Self::Continuation => (64, 8),
            Self::EmptyData => (64, 8),
            Self::Other => (100, 10),
        };
        Allowance { burst, per_second }
    }
}

/// The tokens of one connection.
#[derive(Debug, Clone)]
pub struct Budget {
    tokens: [u32; Kind::ALL.len()],
    refilled: Instant,
}

impl Budget {
    pub fn new(now: Instant) -> Self {
        Self { tokens: Kind::ALL.map(|kind| kind.allowance().burst), refilled: now }
    }

    /// A frame of the caller; too many of them is an error.
    pub fn came(&mut self, frame: Frame, now: Instant) -> Result<(), Kind> {
        match frame.kind() {
            Type::Acknowledgement | Type::Data { ends: true } => Ok(()),
            Type::Headers { .. } => {
                self.earn(Kind::Continuation, 4);
                self.earn(Kind::Priority, 4);
                Ok(())
            }
            Type::Data { ends: false } if frame.length > 0 => {
                self.earn(Kind::EmptyData, 1);
                Ok(())
            }
            Type::Data { ends: false } => self.spend(Kind::EmptyData, now),
            Type::Priority => self.spend(Kind::Priority, now),
            Type::Reset => self.spend(Kind::Reset, now),
            Type::Settings => self.spend(Kind::Settings, now),
            Type::Ping => self.spend(Kind::Ping, now),
            Type::WindowUpdate => self.spend(Kind::WindowUpdate, now),
            Type::Continuation => self.spend(Kind::Continuation, now),
            Type::Other => self.spend(Kind::Other, now),
        }
    }

    /// A frame of ours.
    pub fn went(&mut self, frame: Frame, now: Instant) -> Result<(), Kind> {
        match frame.kind() {
            // Who takes payload gives window back, once for the stream and once for the connection, and may measure its way.
            Type::Data { ends } if frame.length > 0 => {
                self.earn(Kind::WindowUpdate, 10);
                self.earn(Kind::Ping, 1);
                self.answered(ends);
                Ok(())
            }
            Type::Data { ends } => {
                self.answered(ends);
                Ok(())
            }
            Type::Reset => self.spend(Kind::MadeReset, now),
            _ => Ok(()),
        }
    }

    /// A request whose fields were too many was refused below us.
    pub fn refused_below(&mut self, now: Instant) -> Result<(), Kind> {
        self.spend(Kind::Oversized, now)
    }

    /// An answer with a body that was sent to its end pays for a request that is taken back.
    fn answered(&mut self, ends: bool) {
        self.earn(Kind::Reset, u32::from(ends));
    }

    fn earn(&mut self, kind: Kind, count: u32) {
        if let Some(tokens) = self.tokens.get_mut(kind as usize) {
            *tokens = tokens.saturating_add(count).min(kind.allowance().burst);
        }
    }

    fn spend(&mut self, kind: Kind, now: Instant) -> Result<(), Kind> {
        self.refill(now);
        let tokens = self.tokens.get_mut(kind as usize).ok_or(kind)?;
        *tokens = tokens.checked_sub(1).ok_or(kind)?;
        Ok(())
    }

    /// In whole seconds, so that many looks in one second give no more than one.
    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.refilled);
        let seconds = u32::try_from(passed.as_secs()).unwrap_or(u32::MAX);
        if seconds > 0 {
            self.refilled = now;
            for kind in Kind::ALL {
                self.earn(kind, kind.allowance().per_second.saturating_mul(seconds));
            }
        }
    }
}

#[cfg(test)]
mod tests;
