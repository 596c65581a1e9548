//! What JSON strings and numbers say.
//!
//! In: a string with its quotes, as it stands in a body. Out: its text.
//! Invariant: nothing is copied unless the string has an escape in it.

use std::borrow::Cow;

/// What a string with its quotes says; `None` if it is not a valid JSON string.
pub(super) fn text(quoted: &[u8]) -> Option<Cow<'_, str>> {
    let inner = std::str::from_utf8(quoted).ok()?.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    unescape(inner).map(Cow::Owned)
}

fn unescape(inner: &str) -> Option<String> {
    let mut out = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        out.push(match letters.next()? {
            'u' => unicode(&mut letters)?,
            short => char::from(escaped(u8::try_from(short).ok()?)?),
        });
    }
    Some(out)
}

/// The byte behind a backslash, as what it stands for; not for `u`.
pub(super) const fn escaped(letter: u8) -> Option<u8> {
    Some(match letter {
        b'"' => b'"',
        b'\\' => b'\\',
        b'/' => b'/',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}

/// The letter after `\u`, joined from two halves where it needs two; a half without its other is not a letter.
fn unicode(letters: &mut std::str::Chars<'_>) -> Option<char> {
    let first = hex4(letters)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    if letters.next()? != '\\' || letters.next()? != 'u' {
        return None;
    }
    joined(first, hex4(letters)?)
}

/// One letter of the two halves that UTF-16 makes of it.
pub(super) fn joined(high: u32, low: u32) -> Option<char> {
    if !(0xdc00..0xe000).contains(&low) {
        return None;
    }
    char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

fn hex4(letters: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |sum, _| Some(sum * 16 + letters.next()?.to_digit(16)?))
}
