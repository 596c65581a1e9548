//! What an agent mints in the body of an answer: the id of a task, or the state of a call that goes on.
//!
//! In: the payload of an answer, in pieces as it comes, JSON or events. Out: each [`Mint`] once, as soon as the end of its value was read.
//! Never here: whether anything follows from it. Sources: 2026-07-28 `basic/patterns/mrtr` (`requestState`), the tasks extension
//! (`resultType`, `taskId`, `ttlMs`); 2025-11-25 `basic/utilities/tasks` (`task.taskId`, `task.ttl`).
//! Invariants: no memory grows with the answer. An answer that is no message, or that names one value twice, mints nothing from there on.

use std::time::Duration;

use outrigger_model::digest::Digest;

use crate::http1::field::{Fields, Name};
use crate::mcp::envelope::Scanner;
use crate::mcp::envelope::probe::{Take, Values, Want, Wants};
use crate::mcp::sse::data::{Data, Piece};

/// Something that later calls will name, by the digest of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mint {
    /// `life` is how long the agent keeps it, if that was read by then.
    Task {
        id: Digest,
        life: Option<Duration>,
    },
    State(Digest),
}

/// What an answer may mint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mints {
    /// 2026-07-28 and later: tasks and states.
    Modern,
    /// 2025-11-25: tasks.
    Legacy,
}

/// How messages stand in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Json,
    Events,
}

impl Written {
    /// None where the fields of an answer say another one, or that it is encoded.
    pub fn of(fields: &Fields) -> Option<Self> {
        let media = fields.media().filter(|_| !fields.has(Name::ContentEncoding))?;
        let is = |text: &str| media.eq_ignore_ascii_case(text.as_bytes());
        if is("application/json") {
            return Some(Self::Json);
        }
        is("text/event-stream").then_some(Self::Events)
    }
}

/// One answer under way.
#[derive(Debug, Clone)]
pub struct Minting {
    mints: Mints,
    /// None where the whole body is one message.
    events: Option<Data>,
    message: Message,
    over: bool,
}

/// One message under way.
#[derive(Debug, Clone)]
struct Message {
    scanner: Scanner,
    bad: bool,
    told_task: bool,
    told_state: bool,
}

static MODERN: [Want; 4] = [
    Want::fixed(&["result", "resultType"], Take::Word),
    Want::fixed(&["result", "taskId"], Take::Digest),
    Want::fixed(&["result", "ttlMs"], Take::Word),
    Want::fixed(&["result", "requestState"], Take::Digest),
];
static LEGACY: [Want; 2] =
    [Want::fixed(&["result", "task", "taskId"], Take::Digest), Want::fixed(&["result", "task", "ttl"], Take::Word)];

impl Minting {
    pub fn new(mints: Mints, written: Written) -> Self {
        let events = (written == Written::Events).then(Data::default);
        Self { mints, events, message: Message::new(mints), over: false }
    }

    /// Whether nothing more can be minted, whatever comes.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Reads what follows, and tells what was minted in it.
    pub fn feed(&mut self, payload: &[u8]) -> Vec<Mint> {
        let mut minted = Vec::new();
        let Self { mints, events, message, over } = self;
        match events {
            None => {
                message.read(payload);
                *over = message.scanner.is_done() || message.bad;
            }
            Some(events) => events.feed(payload, |piece| match piece {
                // Behind the answer itself nothing of it follows.
                _ if *over => {}
                Piece::Text(text) => message.read(text),
                Piece::End => {
                    message.collect(*mints, &mut minted);
                    *over |= message.scanner.envelope(&[]).is_response() && !message.bad;
                    *message = Message::new(*mints);
                }
            }),
        }
        message.collect(*mints, &mut minted);
        *over |= message.mints_nothing(*mints);
        minted
    }
}

impl Message {
    fn new(mints: Mints) -> Self {
        let wants = match mints {
            Mints::Modern => Wants::Fixed(&MODERN),
            Mints::Legacy => Wants::Fixed(&LEGACY),
        };
        Self { scanner: Scanner::wanting(wants), bad: false, told_task: false, told_state: false }
    }

    fn read(&mut self, text: &[u8]) {
        self.bad |= self.scanner.read_on(text).is_err();
    }

    fn collect(&mut self, mints: Mints, minted: &mut Vec<Mint>) {
        if self.bad {
            return;
        }
        let values = self.scanner.values();
        let (task, life, state) = match mints {
            Mints::Legacy => (values.digest(0), number(&values, 1), None),
            Mints::Modern => {
                // Where the kind of the result is still to come, what it would need is kept in case it does.
                let of_kind = |kind: &[u8]| values.word(0).is_none_or(|word| word == kind);
                let task = values.digest(1).filter(|_| of_kind(b"task"));
                (task, number(&values, 2), values.digest(3).filter(|_| of_kind(b"input_required")))
            }
        };
        if let Some(id) = task.filter(|_| !self.told_task) {
            self.told_task = true;
            minted.push(Mint::Task { id, life: life.map(Duration::from_millis) });
        }
        if let Some(state) = state.filter(|_| !self.told_state) {
            self.told_state = true;
            minted.push(Mint::State(state));
        }
    }

    /// Its result is known to be of another kind.
    fn mints_nothing(&self, mints: Mints) -> bool {
        let values = self.scanner.values();
        let kind = values.word(0).filter(|_| mints == Mints::Modern);
        kind.is_some_and(|kind| kind != b"task" && kind != b"input_required")
    }
}

fn number(values: &Values, want: usize) -> Option<u64> {
    std::str::from_utf8(values.word(want)?).ok()?.parse().ok()
}

/// Whether a body holds the name of anything that could be minted, as it is usually spelled; anywhere in it.
pub fn is_named_in(body: &[u8]) -> bool {
    let holds = |name: &[u8]| memchr::memmem::find(body, name).is_some();
    holds(b"\"taskId\"") || holds(b"\"requestState\"")
}

#[cfg(test)]
mod tests;
