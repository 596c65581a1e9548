//! Steps over JSON without keeping it.
//!
//! In: bytes. Out: the bytes of the next token or value, or `None` where they end or are not JSON.
//! Invariant: no recursion and no growth; depth is a counter.

use std::borrow::Cow;

use memchr::memchr2;

/// Values nested deeper than this are not stepped over.
const DEPTH_MAX: usize = 128;

/// A place in a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next byte that is not blank, without taking it.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let rest = self.bytes.get(self.at..)?;
        let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += blank;
        rest.get(blank).copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn take(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }

    /// A string with its quotes, undecoded.
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at;
        let mut at = start + 1;
        loop {
            let stop = at + memchr2(b'"', b'\\', self.bytes.get(at..)?)?;
            if self.bytes.get(stop) == Some(&b'"') {
                self.at = stop + 1;
                return self.bytes.get(start..self.at);
            }
            at = stop + 2;
        }
    }

    /// One whole value of any kind. What lies inside objects and arrays is stepped over, not checked.
    pub(super) fn value(&mut self) -> Option<&'a [u8]> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => return self.string(),
            b'{' | b'[' => self.nested()?,
            _ => self.plain()?,
        }
        self.bytes.get(start..self.at)
    }

    fn nested(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
            if depth > DEPTH_MAX {
                return None;
            }
        }
    }

    /// A number, `true`, `false` or `null`. One that touches the end of the bytes may go on beyond them: not taken.
    fn plain(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let length = rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'))?;
        if length == 0 {
            return None;
        }
        self.at += length;
        Some(())
    }
}

/// What a string with its quotes says; `None` if it is not a valid JSON string.
pub(super) fn text(quoted: &[u8]) -> Option<Cow<'_, str>> {
    let inner = std::str::from_utf8(quoted).ok()?.strip_prefix('"')?.strip_suffix('"')?;
    if inner.bytes().any(|byte| byte < 0x20) {
        return None;
    }
    if !inner.contains('\\') {
        return (!inner.contains('"')).then_some(Cow::Borrowed(inner));
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
            '"' => '"',
            '\\' => '\\',
            '/' => '/',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => unicode(&mut letters)?,
            _ => return None,
        });
    }
    Some(out)
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
    let second = hex4(letters)?;
    if !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
}

fn hex4(letters: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |sum, _| Some(sum * 16 + letters.next()?.to_digit(16)?))
}

/// RFC 8259 section 6.
pub(super) fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, rest) = digits(text);
    let whole_is_good = match whole {
        [] => false,
        [b'0'] => true,
        [first, ..] => *first != b'0',
    };
    let (fraction_is_good, rest) = match rest.strip_prefix(b".") {
        None => (true, rest),
        Some(rest) => {
            let (fraction, rest) = digits(rest);
            (!fraction.is_empty(), rest)
        }
    };
    let exponent_is_good = match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', rest @ ..] | [b'e' | b'E', rest @ ..] => {
            let (exponent, rest) = digits(rest);
            !exponent.is_empty() && rest.is_empty()
        }
        _ => false,
    };
    whole_is_good && fraction_is_good && exponent_is_good
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
}
