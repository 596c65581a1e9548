//! Where a page of a merged list begins.
//!
//! In: the last entry of a page. Out: an opaque text, and the entry again when the text comes back.
//! Why an entry and not a number: the list may change between two pages; who was there all the time is told exactly once.
//! Invariant: nothing of a target's own cursors is in it; a text that we did not make is refused.

/// Longest text that is read.
const TEXT_BYTES_MAX: usize = 32 * 1024;

/// The entry that was told last; lists are ordered by agent, then by key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub agent: String,
    pub key: String,
}

impl Cursor {
    pub fn text(&self) -> String {
        format!("{}.{}", hex(&self.agent), hex(&self.key))
    }

    pub fn from_text(text: &str) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let (agent, key) = text.split_once('.')?;
        Some(Self { agent: unhex(agent)?, key: unhex(key)? })
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<String> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?)).collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests;
