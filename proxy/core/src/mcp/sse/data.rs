//! What the events of a stream say: their `data`, without the lines around it.
//!
//! In: the bytes of a `text/event-stream`, in any pieces. Out: the text of each event in pieces, and where it ends.
//! Source: WHATWG HTML, "Server-sent events", "Interpreting an event stream". Other fields and comments are left out.
//! Invariant: nothing is kept of the text; how the bytes were cut into pieces changes nothing but the pieces.

const FIELD: &[u8] = b"data";

/// A part of what a stream says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a [u8]),
    /// The event is over.
    End,
}

/// Follows one stream from its first byte.
#[derive(Debug, Clone, Default)]
pub struct Data {
    state: State,
    /// A line feed that comes now belongs to the end of line before.
    after_cr: bool,
    /// The event has a line of data already; the next one begins with a line feed.
    any: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many letters of the name of the field were read.
    Name(usize),
    /// Behind the colon; one blank there is not part of the text.
    Blank,
    Text,
    Other,
}

impl Default for State {
    fn default() -> Self {
        Self::Name(0)
    }
}

impl Data {
    pub fn feed(&mut self, bytes: &[u8], mut to: impl FnMut(Piece<'_>)) {
        let mut rest = bytes;
        while let Some((&byte, behind)) = rest.split_first() {
            if std::mem::take(&mut self.after_cr) && byte == b'\n' {
                rest = behind;
                continue;
            }
            if matches!(byte, b'\r' | b'\n') {
                self.after_cr = byte == b'\r';
                self.end_line(&mut to);
                rest = behind;
                continue;
            }
            rest = match self.state {
                State::Name(count) => {
                    self.state = match FIELD.get(count) {
                        Some(letter) if *letter == byte => State::Name(count + 1),
                        None if byte == b':' => {
                            self.begin_line(&mut to);
                            State::Blank
                        }
                        Some(_) | None => State::Other,
                    };
                    behind
                }
                State::Blank => {
                    self.state = State::Text;
                    if byte == b' ' { behind } else { rest }
                }
                State::Text | State::Other => {
                    let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                    let (line, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                    if self.state == State::Text {
                        to(Piece::Text(line));
                    }
                    behind
                }
            };
        }
    }

    fn begin_line(&mut self, to: &mut impl FnMut(Piece<'_>)) {
        if std::mem::replace(&mut self.any, true) {
            to(Piece::Text(b"\n"));
        }
    }

    fn end_line(&mut self, to: &mut impl FnMut(Piece<'_>)) {
        match self.state {
            State::Name(0) => {
                if std::mem::take(&mut self.any) {
                    to(Piece::End);
                }
            }
            // A field without a colon has no text.
            State::Name(count) if count == FIELD.len() => self.begin_line(to),
            State::Name(_) | State::Blank | State::Text | State::Other => {}
        }
        self.state = State::Name(0);
    }
}

#[cfg(test)]
mod tests;
