//! The beginning of a key or of a short text, decoded; and the plain letters of any text.
//!
//! In: pieces of a string. Out: what it says, unless it is longer than anything that we look for.
//! Invariant: a text that does not fit is told as none, never as its beginning.

/// Longest key that means anything to us, decoded: as long as operators may write one.
const SHORT_BYTES_MAX: usize = 128;
/// Most keys and names end within so many bytes; they are looked at once.
const NEAR_BYTES: usize = 16;
/// So much of a string is looked at at once.
const BLOCK_BYTES: usize = 32;

#[derive(Debug, Clone)]
pub(super) struct Short {
    bytes: [u8; SHORT_BYTES_MAX],
    length: usize,
}

impl Default for Short {
    fn default() -> Self {
        Self { bytes: [0; SHORT_BYTES_MAX], length: 0 }
    }
}

impl Short {
    pub(super) const fn clear(&mut self) {
        self.length = 0;
    }

    pub(super) fn add(&mut self, text: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.length..self.length + text.len()) {
            room.copy_from_slice(text);
        }
        // Longer than the room means none of the texts that we look for.
        self.length = self.length.saturating_add(text.len()).min(SHORT_BYTES_MAX + 1);
    }

    pub(super) fn text(&self) -> Option<&[u8]> {
        self.bytes.get(..self.length)
    }
}

/// How many bytes at the front of a string are letters of ASCII that stand for themselves. Never looks further than one block behind
/// them: a text of other letters asks for each of them.
pub(super) fn plain(bytes: &[u8]) -> usize {
    let (near, far) = bytes.split_at_checked(NEAR_BYTES).unwrap_or((bytes, &[]));
    let mut count = near.iter().take_while(|byte| is_plain(**byte)).count();
    if count < near.len() {
        return count;
    }
    for block in far.chunks(BLOCK_BYTES) {
        // One look at all of it, which compilers make fast; letter by letter only where that finds something.
        if !block.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
            return count + block.iter().take_while(|byte| is_plain(**byte)).count();
        }
        count += block.len();
    }
    count
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, 0x20..0x80) && byte != b'"' && byte != b'\\'
}
