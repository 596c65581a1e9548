//! Text that makes bodies large, and shows when a part of it is missing or stands elsewhere.
//!
//! Invariant: the text of a length is always the same, and every eight bytes of it are different.

use std::fmt::Write as _;
use std::sync::LazyLock;

/// Longest text.
pub const FILL_BYTES_MAX: usize = 1024 * 1024;

static FILL: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::with_capacity(FILL_BYTES_MAX);
    for at in 0..FILL_BYTES_MAX / 8 {
        // Writing to a text cannot fail.
        let _ = write!(text, "{at:07} ");
    }
    text
});

/// So many bytes of text, at most [`FILL_BYTES_MAX`].
pub fn fill(bytes: usize) -> &'static str {
    FILL.get(..bytes).unwrap_or(&FILL)
}
