//! Where the events of a stream end.
//!
//! In: the bytes of a `text/event-stream`, in any pieces. Out: whether the stream stands between two events.
//! Never here: what an event says, or how its bytes are framed.
//! Invariant: how the bytes were cut into pieces changes nothing. Comments are no events, so one may stand between two.
//! Source: WHATWG HTML, "Server-sent events", the grammar `event-stream`: lines end with CR LF, LF or CR; an empty line ends an event.

pub mod data;

/// Follows one stream from its first byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scanner {
    state: State,
    /// A line feed that comes now belongs to the end of line before.
    after_cr: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// No event has begun.
    #[default]
    Between,
    /// In a comment, and no event has begun.
    Comment,
    /// In a line of an event.
    Line,
    /// An event has begun, and a line of it has just ended.
    NewLine,
}

impl Scanner {
    /// Whether no event has begun that has not ended.
    pub fn is_between(&self) -> bool {
        self.state == State::Between
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            at += self.step(rest);
        }
    }

    /// Takes the bytes up to the first place between two events, or all of them if there is none. Says how many.
    pub fn feed_to_boundary(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let is_end_of_line = self.after_cr && rest.first() == Some(&b'\n');
            if self.is_between() && !is_end_of_line {
                break;
            }
            at += self.step(rest);
        }
        at
    }

    /// Takes at least one byte of `rest`, which is not empty, and at most to the end of a line.
    fn step(&mut self, rest: &[u8]) -> usize {
        let first = rest.first().copied().unwrap_or_default();
        if std::mem::take(&mut self.after_cr) && first == b'\n' {
            return 1;
        }
        let is_start = matches!(self.state, State::Between | State::NewLine);
        match memchr::memchr2(b'\n', b'\r', rest) {
            Some(0) if is_start => {
                self.state = State::Between;
                self.after_cr = first == b'\r';
                1
            }
            Some(end) => {
                let is_comment = self.state == State::Comment || self.state == State::Between && first == b':';
                self.state = if is_comment { State::Between } else { State::NewLine };
                self.after_cr = rest.get(end) == Some(&b'\r');
                end + 1
            }
            None => {
                self.state = match self.state {
                    State::Between if first == b':' => State::Comment,
                    State::Comment => State::Comment,
                    State::Between | State::Line | State::NewLine => State::Line,
                };
                rest.len()
            }
        }
    }
}

#[cfg(test)]
mod tests;
