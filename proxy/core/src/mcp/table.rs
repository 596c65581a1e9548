//! What is done with each shape of call, as a table that can be read beside the specification.
//!
//! In: [`CallFacts`]. Out: the first [`Row`] that fits.
//! Source: MCP 2024-11-05 to 2026-07-28, `basic/transports` and `basic/lifecycle` of each; the numbers are those of docs/calls.md,
//! which says for each row why.
//! Invariant: every call has a row; the verbs and eras of the table leave none out.

use outrigger_model::revision::Era;
use outrigger_model::route::TimeClass;

use crate::asked::Part;
use crate::mcp::facts::{CallFacts, Message, Verb};
use crate::mcp::method::Method;

/// When the same request may be sent once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Only if no byte of it reached the agent.
    ConnectOnly,
    /// Also if its connection was lost, nothing came in time, or the answer was 502, 503, 504, or a 429 that says when to ask again: running
    /// it twice changes nothing.
    SafeRead,
    /// The same, because the operator says so of the tool that is called. No row has it: a route says it.
    RepeatableTool,
}

impl Retry {
    /// Whether running it twice changes nothing.
    pub const fn may_repeat(self) -> bool {
        matches!(self, Self::SafeRead | Self::RepeatableTool)
    }

    /// For people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectOnly => "only if nothing was sent",
            Self::SafeRead => "safe read",
            Self::RepeatableTool => "repeatable tool",
        }
    }
}

/// Where a call goes that no session and no name holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stick {
    /// Where the caller's other calls go: state may hang on it that no key names.
    Caller,
    /// It opens a session, whose id will hold it.
    Opens,
    /// Anywhere.
    Nowhere,
}

/// What happens to a stream of events while its listener drains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AtDrain {
    /// It ends between two events; its caller opens it again elsewhere, and names the last event it has seen.
    EndsBetweenEvents,
    /// A result is still to come on it, and it goes on for as long as the grace does.
    GoesOn,
}

/// Where a call stands among the others of its session that are sent at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// It opens the stream on which the server asks its client. One that resumes is not meant: it is told what it missed.
    Opens,
    /// It is sent when the stream is open that was asked for before it: what the server asks before that is lost.
    Follows,
    /// Nothing waits for it, and it waits for nothing: an answer or a note may be what somebody waits for.
    Any,
}

/// Which calls a row is about. What is not said fits all.
#[derive(Debug, Clone, Copy)]
struct When {
    verb: Option<Verb>,
    /// `Legacy` fits calls whose era is not known as well.
    era: Option<Era>,
    methods: &'static [Method],
    session: Option<bool>,
    message: Option<Message>,
    notice: Option<bool>,
    resumes: Option<bool>,
    /// A revision was sent, which 2024-11-05 knows nothing of.
    revision: Option<bool>,
}

/// One shape of call.
#[derive(Debug)]
pub struct Row {
    pub number: u8,
    when: When,
    pub stick: Stick,
    pub retry: Retry,
    pub time: TimeClass,
    /// Waits for an endpoint rather than being refused, and is never answered by an error that another endpoint might not give.
    pub patient: bool,
    pub at_drain: AtDrain,
    pub order: Order,
}

const ANY: When = When {
    verb: None,
    era: None,
    methods: &[],
    session: None,
    message: None,
    notice: None,
    resumes: None,
    revision: None,
};
const POST: When = When { verb: Some(Verb::Post), ..ANY };
const MODERN: When = When { era: Some(Era::Modern), ..POST };
const LEGACY: When = When { era: Some(Era::Legacy), ..POST };
const IN_SESSION: When = When { session: Some(true), ..LEGACY };
const GET: When = When { verb: Some(Verb::Get), ..ANY };

const LISTS: &[Method] = &[
    Method::ToolsList,
    Method::ResourcesList,
    Method::ResourceTemplatesList,
    Method::PromptsList,
    Method::Complete,
    Method::TasksList,
];
const READS: &[Method] = &[Method::ResourcesRead, Method::PromptsGet];
const CHANGES_OF_TASKS: &[Method] = &[Method::TasksUpdate, Method::TasksCancel];

/// What a legacy server answers at once; reads and prompts may ask the caller something first.
const AT_ONCE: &[Method] = &[
    Method::Ping,
    Method::ToolsList,
    Method::ResourcesList,
    Method::ResourceTemplatesList,
    Method::ResourcesSubscribe,
    Method::ResourcesUnsubscribe,
    Method::PromptsList,
    Method::Complete,
    Method::SetLevel,
    Method::TasksGet,
    Method::TasksList,
    Method::TasksCancel,
];

const fn row(number: u8, when: When, stick: Stick, retry: Retry, time: TimeClass) -> Row {
    Row { number, when, stick, retry, time, patient: false, at_drain: AtDrain::GoesOn, order: Order::Any }
}

/// A stream that its caller opens again when it ends.
const fn reopened(row: Row) -> Row {
    Row { at_drain: AtDrain::EndsBetweenEvents, ..row }
}

/// A request of a session, which may have to wait for its stream.
const fn follows(row: Row) -> Row {
    Row { order: Order::Follows, ..row }
}

const fn of(methods: &'static [Method], when: When) -> When {
    When { methods, ..when }
}

use Retry::{ConnectOnly, SafeRead};
use Stick::{Caller, Nowhere, Opens};
use TimeClass::{Call, Quick, Stream};

/// The first that fits holds.
#[rustfmt::skip]
const TABLE: [Row; 25] = [
    // 2026-07-28 and later: every request says in its head what it is.
    Row { patient: true, ..row(1, of(&[Method::Discover], MODERN), Caller, SafeRead, Quick) },
    row( 2, of(LISTS, MODERN), Caller, SafeRead, Quick),
    row( 5, When { message: Some(Message::Continued), ..MODERN }, Caller, ConnectOnly, Call),
    row( 3, of(READS, MODERN), Caller, SafeRead, Quick),
    row( 4, of(&[Method::ToolsCall], MODERN), Caller, ConnectOnly, Call),
    reopened(row( 6, of(&[Method::Listen], MODERN), Caller, SafeRead, Stream)),
    row( 7, of(&[Method::TasksGet], MODERN), Caller, SafeRead, Quick),
    row( 8, of(CHANGES_OF_TASKS, MODERN), Caller, ConnectOnly, Quick),
    // Also where `Mcp-Method` is missing (10): the agent says so.
    row( 9, MODERN, Caller, ConnectOnly, Quick),
    // Until 2025-11-25: sessions, and what a request is stands in its body.
    row(11, When { session: Some(false), ..of(&[Method::Initialize], LEGACY) }, Opens, SafeRead, Quick),
    follows(row(14, When { message: Some(Message::Batch), ..IN_SESSION }, Caller, ConnectOnly, Call)),
    row(13, When { notice: Some(true), ..IN_SESSION }, Caller, ConnectOnly, Quick),
    follows(row(12, of(AT_ONCE, IN_SESSION), Caller, ConnectOnly, Quick)),
    follows(row(12, IN_SESSION, Caller, ConnectOnly, Call)),
    row(19, of(AT_ONCE, LEGACY), Caller, ConnectOnly, Quick),
    row(19, LEGACY, Caller, ConnectOnly, Call),
    // A modern agent answers 405.
    row(23, When { verb: Some(Verb::Get), ..of(&[], MODERN) }, Nowhere, ConnectOnly, Quick),
    row(23, When { verb: Some(Verb::Delete), ..of(&[], MODERN) }, Nowhere, ConnectOnly, Quick),
    row(23, When { verb: Some(Verb::Other), ..of(&[], MODERN) }, Nowhere, ConnectOnly, Quick),
    reopened(row(16, When { resumes: Some(true), ..GET }, Caller, ConnectOnly, Stream)),
    Row { order: Order::Opens, ..reopened(row(15, When { session: Some(true), ..GET }, Caller, ConnectOnly, Stream)) },
    reopened(row(17, When { revision: Some(true), ..GET }, Caller, ConnectOnly, Stream)),
    // 2024-11-05 sends the results of its POSTs there.
    row(17, GET, Caller, ConnectOnly, Stream),
    row(18, When { verb: Some(Verb::Delete), ..ANY }, Caller, ConnectOnly, Quick),
    // OPTIONS and HEAD; what else there is, agents refuse themselves.
    row(22, When { verb: Some(Verb::Other), ..ANY }, Nowhere, ConnectOnly, Quick),
];

/// What an agent of 2024-11-05 announced for messages; the replica is named.
const MESSAGES: Row = row(20, ANY, Caller, ConnectOnly, Quick);
/// Documents and pages beside the endpoint. The caller's replica, because what one step of an authorisation leaves there the next needs.
const DOCUMENT: Row = row(21, ANY, Caller, SafeRead, Quick);
const PAGE: Row = row(21, ANY, Caller, ConnectOnly, Quick);

/// A POST of no era that the rows above leave, which is none today.
const OTHERWISE: Row = row(0, ANY, Caller, ConnectOnly, Call);

impl When {
    fn fits(&self, facts: &CallFacts<'_>) -> bool {
        let is = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
        let modern = facts.era == Some(Era::Modern);
        self.verb.is_none_or(|verb| verb == facts.verb)
            && self.era.is_none_or(|era| (era == Era::Modern) == modern)
            && (self.methods.is_empty() || facts.method.is_some_and(|method| self.methods.contains(&method)))
            && is(self.session, facts.session.is_some())
            && self.message.is_none_or(|message| message == facts.message)
            && is(self.notice, facts.notice)
            && is(self.resumes, facts.resumes)
            && is(self.revision, facts.revision().is_some())
    }
}

impl Row {
    /// What is done with a call.
    pub fn of(facts: &CallFacts<'_>) -> &'static Self {
        match (facts.part, facts.verb) {
            (Part::Endpoint, _) => TABLE.iter().find(|row| row.when.fits(facts)).unwrap_or(&OTHERWISE),
            (Part::Messages(_), _) => &MESSAGES,
            (Part::Document(..), Verb::Get) => &DOCUMENT,
            (Part::Document(..) | Part::Page(_), _) => &PAGE,
        }
    }
}

#[cfg(test)]
mod tests;
