//! Reads JSON byte by byte, in pieces of any size, and keeps nothing of it.
//!
//! In: the payload of a body, as it comes. Out: a [`Fault`] where it is wrong, and what [`Watch`] found on the way.
//! Sources: RFC 8259; RFC 3629 for UTF-8. Halves of a surrogate pair that stand alone are refused: no parser agrees on them.
//! Invariant: no recursion, no growth, no allocation; the memory of a scanner does not depend on the body.

use super::number::Number;
use super::probe::{Probes, Values, Wants};
use super::short::{Short, plain};
use super::text::{escaped, joined};
use super::watch::{Kind, Token, Watch};
use crate::refusal::fault::Fault;

/// Deepest nesting of values. Servers with recursive parsers end at a few hundred.
pub const DEPTH_MAX: u32 = 64;
/// A body under way.
#[derive(Debug, Clone)]
pub struct Scanner {
    state: State,
    depth: u32,
    /// One bit for each open value, the innermost lowest: whether it is an object.
    objects: u64,
    /// Bytes of the payload that were read.
    at: usize,
    /// Where the present string, number or word began.
    start: usize,
    is_key: bool,
    short: Short,
    watch: Watch,
    /// Only of a body in which somebody looks for more than the outside of a message.
    probes: Option<Box<Probes>>,
    fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Value,
    FirstItem,
    FirstKey,
    Key,
    Colon,
    /// Behind a value inside an object or an array.
    Next,
    Text,
    Escape,
    Hex {
        left: u8,
        code: u32,
        high: Option<u32>,
    },
    /// A first half of a surrogate pair was read, and this much of what must follow it.
    LowEscape {
        high: u32,
        backslash: bool,
    },
    /// Inside one letter of UTF-8.
    Letter {
        left: u8,
        least: u8,
        most: u8,
    },
    Number(Number),
    Word(&'static [u8]),
    Done,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            state: State::Value,
            depth: 0,
            objects: 0,
            at: 0,
            start: 0,
            is_key: false,
            short: Short::default(),
            watch: Watch::default(),
            probes: None,
            fault: None,
        }
    }
}

impl Scanner {
    /// A scanner that also takes the values that are wanted.
    pub fn wanting(wants: Wants) -> Self {
        let probes = (!wants.is_empty()).then(|| Box::new(Probes::new(wants)));
        Self { probes, ..Self::default() }
    }

    /// What was taken so far.
    pub fn values(&self) -> Values {
        self.probes.as_ref().map(|probes| probes.values()).unwrap_or_default()
    }

    /// Reads `bytes`, which begin `from` bytes behind the beginning of the payload. What was read before is not read again.
    pub fn feed(&mut self, from: usize, bytes: &[u8]) -> Result<(), Fault> {
        let fresh = bytes.get(self.at.saturating_sub(from)..).unwrap_or_default();
        self.guarded(|scanner| scanner.read(fresh))
    }

    /// Reads what follows.
    pub fn read_on(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.guarded(|scanner| scanner.read(bytes))
    }

    /// The payload is over.
    pub fn finish(&mut self) -> Result<(), Fault> {
        self.guarded(|scanner| match scanner.state {
            State::Done => Ok(()),
            State::Value if scanner.depth == 0 => Err(Fault::Empty),
            // A number ends where the body does; it is no message either way.
            State::Number(number) if scanner.depth == 0 && number.is_whole() => {
                scanner.end_scalar(Kind::Number, scanner.at)
            }
            _ => Err(Fault::CutOff { at: scanner.at }),
        })
    }

    /// Whether the message is whole; more than blanks behind it would be a fault.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    pub(super) const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// A fault is final.
    fn guarded(&mut self, read: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        read(self).inspect_err(|fault| self.fault = Some(*fault))
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut rest = bytes;
        while let Some((&byte, behind)) = rest.split_first() {
            if self.state == State::Text {
                let plain = plain(rest);
                if plain > 0 {
                    let (text, behind) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
                    self.hear(text);
                    self.at += text.len();
                    rest = behind;
                    continue;
                }
            }
            self.step(byte)?;
            self.at += 1;
            rest = behind;
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<(), Fault> {
        let is_blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        match self.state {
            State::Text => self.text(byte),
            State::Value
            | State::FirstItem
            | State::FirstKey
            | State::Key
            | State::Colon
            | State::Next
            | State::Done
                if is_blank =>
            {
                Ok(())
            }
            State::FirstKey | State::Key if byte == b'"' => {
                self.is_key = true;
                self.open_text();
                Ok(())
            }
            State::Colon if byte == b':' => self.go(State::Value),
            State::Next if byte == b',' => self.go(if self.is_in_object() { State::Key } else { State::Value }),
            State::FirstItem if byte == b']' => self.close(false),
            State::FirstKey if byte == b'}' => self.close(true),
            State::Next if matches!(byte, b']' | b'}') => self.close(byte == b'}'),
            State::Value | State::FirstItem => self.begin(byte),
            State::Number(number) => self.number(number, byte),
            State::Word(word) => self.word(word, byte),
            State::Escape => self.escape(byte),
            State::Hex { left, code, high } => self.hex(left, code, high, byte),
            State::LowEscape { high, backslash } => match (backslash, byte) {
                (false, b'\\') => self.go(State::LowEscape { high, backslash: true }),
                (true, b'u') => self.go(State::Hex { left: 4, code: 0, high: Some(high) }),
                _ => self.wrong(),
            },
            State::Letter { left, least, most } => self.letter(left, least, most, byte),
            State::Done => Err(Fault::Trailing { at: self.at }),
            State::FirstKey | State::Key | State::Colon | State::Next => self.wrong(),
        }
    }

    /// The first byte of a value.
    fn begin(&mut self, byte: u8) -> Result<(), Fault> {
        self.start = self.at;
        match byte {
            b'"' => {
                self.is_key = false;
                self.open_text();
                self.begin_scalar();
                Ok(())
            }
            b'{' | b'[' => self.open(byte == b'{'),
            b't' => self.go(State::Word(b"rue")),
            b'f' => self.go(State::Word(b"alse")),
            b'n' => self.go(State::Word(b"ull")),
            _ => match Number::begun_by(byte) {
                Some(number) => {
                    self.short.clear();
                    self.begin_scalar();
                    self.hear(&[byte]);
                    self.go(State::Number(number))
                }
                None => self.wrong(),
            },
        }
    }

    /// A string or a number begins.
    fn begin_scalar(&mut self) {
        if let Some(probes) = &mut self.probes {
            probes.begin();
        }
    }

    /// More of the present string or number, decoded.
    fn hear(&mut self, text: &[u8]) {
        self.short.add(text);
        if let Some(probes) = &mut self.probes {
            probes.hear(text);
        }
    }

    /// A value without others in it is over. Strings end behind their quote.
    fn end_scalar(&mut self, kind: Kind, end: usize) -> Result<(), Fault> {
        let token = Token { start: self.start, end };
        self.watch.scalar(kind, token, self.short.text(), self.depth)?;
        if let Some(probes) = &mut self.probes {
            probes.scalar(kind, self.short.text());
        }
        self.ended()
    }

    fn open(&mut self, is_object: bool) -> Result<(), Fault> {
        if self.depth == DEPTH_MAX {
            return Err(Fault::TooDeep { most: DEPTH_MAX });
        }
        self.watch.open(is_object, self.depth)?;
        if let Some(probes) = &mut self.probes {
            probes.open(is_object, self.depth);
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u64::from(is_object);
        self.go(if is_object { State::FirstKey } else { State::FirstItem })
    }

    fn close(&mut self, is_object: bool) -> Result<(), Fault> {
        if is_object != self.is_in_object() {
            return self.wrong();
        }
        self.depth -= 1;
        self.objects >>= 1;
        self.watch.close(self.depth)?;
        if let Some(probes) = &mut self.probes {
            probes.close(self.depth);
        }
        self.ended()
    }

    /// A value inside the outermost one ended, or that one itself.
    fn ended(&mut self) -> Result<(), Fault> {
        self.go(if self.depth == 0 { State::Done } else { State::Next })
    }

    const fn is_in_object(&self) -> bool {
        self.depth > 0 && self.objects & 1 == 1
    }

    fn open_text(&mut self) {
        self.start = self.at;
        self.short.clear();
        self.state = State::Text;
    }

    /// A byte of a string that is not plain.
    fn text(&mut self, byte: u8) -> Result<(), Fault> {
        match byte {
            b'"' if self.is_key => {
                self.watch.key(self.short.text(), self.depth)?;
                if let Some(probes) = &mut self.probes {
                    probes.key(self.short.text(), self.depth)?;
                }
                self.go(State::Colon)
            }
            b'"' => self.end_scalar(Kind::Text, self.at + 1),
            b'\\' => self.go(State::Escape),
            0..0x20 => self.wrong(),
            _ => {
                self.hear(&[byte]);
                match byte {
                    0xc2..=0xdf => self.go(State::Letter { left: 1, least: 0x80, most: 0xbf }),
                    0xe0 => self.go(State::Letter { left: 2, least: 0xa0, most: 0xbf }),
                    0xed => self.go(State::Letter { left: 2, least: 0x80, most: 0x9f }),
                    0xe1..=0xef => self.go(State::Letter { left: 2, least: 0x80, most: 0xbf }),
                    0xf0 => self.go(State::Letter { left: 3, least: 0x90, most: 0xbf }),
                    0xf1..=0xf3 => self.go(State::Letter { left: 3, least: 0x80, most: 0xbf }),
                    0xf4 => self.go(State::Letter { left: 3, least: 0x80, most: 0x8f }),
                    _ => Err(Fault::Utf8 { at: self.at }),
                }
            }
        }
    }

    fn letter(&mut self, left: u8, least: u8, most: u8, byte: u8) -> Result<(), Fault> {
        if !(least..=most).contains(&byte) {
            return Err(Fault::Utf8 { at: self.at });
        }
        self.hear(&[byte]);
        self.go(match left {
            1 => State::Text,
            _ => State::Letter { left: left - 1, least: 0x80, most: 0xbf },
        })
    }

    fn escape(&mut self, byte: u8) -> Result<(), Fault> {
        if byte == b'u' {
            return self.go(State::Hex { left: 4, code: 0, high: None });
        }
        match escaped(byte) {
            Some(letter) => {
                self.hear(&[letter]);
                self.go(State::Text)
            }
            None => self.wrong(),
        }
    }

    fn hex(&mut self, left: u8, code: u32, high: Option<u32>, byte: u8) -> Result<(), Fault> {
        let Some(digit) = char::from(byte).to_digit(16) else { return self.wrong() };
        let code = code << 4 | digit;
        if left > 1 {
            return self.go(State::Hex { left: left - 1, code, high });
        }
        let letter = match high {
            None if (0xd800..0xdc00).contains(&code) => {
                return self.go(State::LowEscape { high: code, backslash: false });
            }
            None => char::from_u32(code),
            Some(high) => joined(high, code),
        };
        let Some(letter) = letter else { return self.wrong() };
        self.hear(letter.encode_utf8(&mut [0; 4]).as_bytes());
        self.go(State::Text)
    }

    fn number(&mut self, number: Number, byte: u8) -> Result<(), Fault> {
        match number.with(byte) {
            Some(number) => {
                self.hear(&[byte]);
                self.go(State::Number(number))
            }
            // What goes on otherwise is no number, and must not be told as an id.
            None if number.is_whole() && matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}') => {
                self.end_scalar(Kind::Number, self.at)?;
                self.step(byte)
            }
            None => self.wrong(),
        }
    }

    fn word(&mut self, word: &'static [u8], byte: u8) -> Result<(), Fault> {
        match word.split_first() {
            Some((expected, [])) if *expected == byte => {
                // The token ends behind this byte; what a word says is told by its length.
                self.short.clear();
                let kind = if word == b"l" { Kind::Null } else { Kind::Bool };
                self.end_scalar(kind, self.at + 1)
            }
            Some((expected, rest)) if *expected == byte => self.go(State::Word(rest)),
            _ => self.wrong(),
        }
    }

    const fn go(&mut self, state: State) -> Result<(), Fault> {
        self.state = state;
        Ok(())
    }

    const fn wrong(&self) -> Result<(), Fault> {
        Err(Fault::NotJson { at: self.at })
    }
}
