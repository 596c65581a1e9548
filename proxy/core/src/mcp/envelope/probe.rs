//! Values of a message that somebody asked for, taken while its bytes go by.
//!
//! In: paths of keys from the outermost object; keys and scalars from the scanner. Out: for each path the digest of what its value says, or
//! the value itself where it is a short word.
//! Never here: what a value means. Arrays: a path leads through objects only, and a batch holds none.
//! Invariants: a value of any length costs the same memory, and no part of one that is digested is kept. A key on a path that was met
//! before is a fault: who reads the first and who reads the last would follow two values.

use std::sync::Arc;

use outrigger_model::digest::{Digest, Digester};

use super::watch::Kind;
use crate::refusal::fault::Fault;

/// Most paths of one message.
pub const WANTS_MAX: usize = 8;
/// Longest word.
const WORD_BYTES_MAX: usize = 24;

/// One value, and what is taken of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    path: Path,
    take: Take,
}

/// Keys on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Path {
    Fixed(&'static [&'static str]),
    Written(Vec<String>),
}

/// What is taken of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// SHA-256 over the decoded text of a string, or over a number as it is written.
    Digest,
    /// The decoded text itself if it is a short one.
    Word,
}

/// All that is wanted of a message.
#[derive(Debug, Clone)]
pub enum Wants {
    Fixed(&'static [Want]),
    Shared(Arc<[Want]>),
}

/// What was taken, in the order of the wants. Empty strings, booleans, nulls and what holds other values are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Values([Option<Value>; WANTS_MAX]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Digest(Digest),
    Word(Word),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Word {
    bytes: [u8; WORD_BYTES_MAX],
    length: usize,
}

/// A message under way.
#[derive(Debug, Clone)]
pub(super) struct Probes {
    wants: Wants,
    /// How many keys of each path lead to the innermost open object.
    matched: [u8; WANTS_MAX],
    /// Which keys of each path were met, one bit for each.
    met: [u8; WANTS_MAX],
    /// The paths that the present key is on, one bit for each.
    ahead: u8,
    under_way: Option<Digester>,
    values: Values,
}

impl Want {
    pub const fn fixed(path: &'static [&'static str], take: Take) -> Self {
        Self { path: Path::Fixed(path), take }
    }

    pub const fn new(path: Vec<String>, take: Take) -> Self {
        Self { path: Path::Written(path), take }
    }
}

impl Path {
    fn part(&self, at: u8) -> Option<&str> {
        match self {
            Self::Fixed(path) => path.get(usize::from(at)).copied(),
            Self::Written(path) => path.get(usize::from(at)).map(String::as_str),
        }
    }

    fn ends_with(&self, at: u8) -> bool {
        let length = match self {
            Self::Fixed(path) => path.len(),
            Self::Written(path) => path.len(),
        };
        length == usize::from(at) + 1
    }
}

impl Wants {
    pub const NONE: Self = Self::Fixed(&[]);

    pub fn is_empty(&self) -> bool {
        self.list().is_empty()
    }

    fn list(&self) -> &[Want] {
        let list = match self {
            Self::Fixed(list) => list,
            Self::Shared(list) => &list[..],
        };
        list.get(..WANTS_MAX).unwrap_or(list)
    }
}

impl Values {
    pub fn digest(&self, want: usize) -> Option<Digest> {
        match self.0.get(want)? {
            Some(Value::Digest(digest)) => Some(*digest),
            Some(Value::Word(_)) | None => None,
        }
    }

    pub fn word(&self, want: usize) -> Option<&[u8]> {
        match self.0.get(want)? {
            Some(Value::Word(word)) => word.bytes.get(..word.length),
            Some(Value::Digest(_)) | None => None,
        }
    }
}

impl Probes {
    pub(super) fn new(wants: Wants) -> Self {
        let (matched, met) = ([0; WANTS_MAX], [0; WANTS_MAX]);
        Self { wants, matched, met, ahead: 0, under_way: None, values: Values::default() }
    }

    pub(super) const fn values(&self) -> Values {
        self.values
    }

    /// A key inside `depth` open values; none if it is longer than any we know.
    pub(super) fn key(&mut self, key: Option<&[u8]>, depth: u32) -> Result<(), Fault> {
        self.ahead = 0;
        let (Some(key), Some(level)) = (key, depth.checked_sub(1)) else { return Ok(()) };
        let places = self.wants.list().iter().zip(&self.matched).zip(&mut self.met);
        for (at, ((want, matched), met)) in places.enumerate() {
            let is_on_path =
                u32::from(*matched) == level && want.path.part(*matched).is_some_and(|part| part.as_bytes() == key);
            if !is_on_path {
                continue;
            }
            if *met & 1 << level != 0 {
                return Err(Fault::Repeated { key: "of a value that is looked for" });
            }
            *met |= 1 << level;
            self.ahead |= 1 << at;
        }
        Ok(())
    }

    /// An object or an array begins inside `depth` others.
    pub(super) fn open(&mut self, is_object: bool, depth: u32) {
        let ahead = std::mem::take(&mut self.ahead);
        let Ok(depth) = u8::try_from(depth) else { return };
        for (at, matched) in self.matched.iter_mut().enumerate() {
            if is_object && ahead & 1 << at != 0 {
                *matched = depth;
            }
        }
    }

    /// The innermost value ended; `depth` others are still open.
    pub(super) fn close(&mut self, depth: u32) {
        let most = u8::try_from(depth.saturating_sub(1)).unwrap_or(u8::MAX);
        for matched in &mut self.matched {
            *matched = (*matched).min(most);
        }
    }

    /// A string or a number begins.
    pub(super) fn begin(&mut self) {
        if self.ahead != 0 {
            let digests = |(want, _): (&Want, usize)| want.take == Take::Digest;
            let wanted = self.ends_here().any(digests);
            self.under_way = wanted.then(Digester::default);
        }
    }

    /// More of it, decoded.
    pub(super) fn hear(&mut self, text: &[u8]) {
        if let Some(digester) = &mut self.under_way {
            digester.add(text);
        }
    }

    /// A value without others in it. `text` is what it says, if it is short.
    pub(super) fn scalar(&mut self, kind: Kind, text: Option<&[u8]>) {
        let digest = self.under_way.take().map(Digester::digest);
        let says = matches!(kind, Kind::Text | Kind::Number) && text != Some(b"");
        let mut values = self.values;
        for (want, at) in self.ends_here().filter(|_| says) {
            let value = match want.take {
                Take::Digest => digest.map(Value::Digest),
                Take::Word => text.and_then(Word::of).map(Value::Word),
            };
            if let Some(place) = values.0.get_mut(at) {
                *place = value;
            }
        }
        (self.values, self.ahead) = (values, 0);
    }

    /// The paths that end with the present key.
    fn ends_here(&self) -> impl Iterator<Item = (&Want, usize)> {
        let wants = self.wants.list().iter().zip(&self.matched).enumerate();
        let ends = wants.filter(|(at, (want, matched))| self.ahead & 1 << at != 0 && want.path.ends_with(**matched));
        ends.map(|(at, (want, _))| (want, at))
    }
}

impl Word {
    fn of(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; WORD_BYTES_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self { bytes, length: text.len() })
    }
}

#[cfg(test)]
mod tests;
