//! A look at the outside of a JSON-RPC message: its `id` and its `method`, and nothing of what is inside.
//!
//! In: the first bytes of a body, perhaps cut off. Out: an [`Envelope`] with what was found.
//! Never here: a tree of the body, or a judgement on it. A malformed message goes to the agent, which says so.
//! Invariant: an id that is handed on is exactly one valid JSON string or number, so it can stand in an answer as it is.
//! A key given twice is ambiguous and counts as absent (parsers differ in which one they take).

mod scan;

use std::borrow::Cow;

use scan::Scan;

/// Bytes that are enough to find `id` and `method` in every message of the SDKs we know; more is not read for this.
pub const PEEK_BYTES_MAX: usize = 16 * 1024;
/// Longest id that is repeated in an answer of ours.
pub const ID_BYTES_MAX: usize = 256;
/// Longest method that is looked at.
const METHOD_BYTES_MAX: usize = 256;

/// An id as the caller wrote it: a JSON string or number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawId<'a>(&'a [u8]);

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub id: Option<RawId<'a>>,
    pub method: Option<Cow<'a, str>>,
    /// The body is an array of messages (2025-03-26 only).
    pub batch: bool,
}

impl<'a> RawId<'a> {
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Envelope<'a> {
    /// Looks at no more than [`PEEK_BYTES_MAX`] bytes.
    pub fn scan(body: &'a [u8]) -> Self {
        let mut scan = Scan::new(body.get(..PEEK_BYTES_MAX).unwrap_or(body));
        let mut found = Found::default();
        match scan.peek() {
            Some(b'[') => return Self { batch: true, ..Self::default() },
            Some(b'{') => {
                // Cut off or malformed: what was found so far still stands.
                let _ = members(&mut scan, &mut found);
            }
            _ => {}
        }
        Self { id: found.id.settled(), method: found.method.settled(), batch: false }
    }
}

/// A value that may be seen once.
#[derive(Debug, Default)]
enum Seen<T> {
    #[default]
    Never,
    Once(Option<T>),
    Again,
}

#[derive(Debug, Default)]
struct Found<'a> {
    id: Seen<RawId<'a>>,
    method: Seen<Cow<'a, str>>,
}

impl<T> Seen<T> {
    fn add(&mut self, value: Option<T>) {
        *self = match self {
            Self::Never => Self::Once(value),
            Self::Once(_) | Self::Again => Self::Again,
        };
    }

    fn settled(self) -> Option<T> {
        match self {
            Self::Once(value) => value,
            Self::Never | Self::Again => None,
        }
    }
}

/// Walks the members of the outermost object; `None` where the bytes end or make no sense.
fn members<'a>(scan: &mut Scan<'a>, found: &mut Found<'a>) -> Option<()> {
    scan.take(b'{')?;
    if scan.peek()? == b'}' {
        return Some(());
    }
    loop {
        let key = scan.string()?;
        scan.take(b':')?;
        match scan::text(key).as_deref() {
            Some("id") => {
                let value = scan.value()?;
                found.id.add(as_id(value));
            }
            Some("method") => {
                let value = scan.value()?;
                found.method.add((value.len() <= METHOD_BYTES_MAX).then(|| scan::text(value)).flatten());
            }
            _ => {
                scan.value()?;
            }
        }
        match scan.next()? {
            b',' => {}
            _ => return Some(()),
        }
    }
}

fn as_id(value: &[u8]) -> Option<RawId<'_>> {
    let fits = value.len() <= ID_BYTES_MAX
        && match value.first()? {
            b'"' => scan::text(value).is_some(),
            _ => scan::is_number(value),
        };
    fits.then_some(RawId(value))
}

#[cfg(test)]
mod tests;
