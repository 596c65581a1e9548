//! What the outside of a message says, picked up while its bytes go by.
//!
//! In: keys and values with their depth, from the scanner. Out: where `id`, `method` and what routes look at stand; a [`Fault`] where a key
//! that decides anything stands twice or a message is none.
//! Invariant: what is deeper than `params._meta` is not looked at.

use crate::refusal::fault::{Fault, NoMessage};

/// A part of the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub start: usize,
    pub end: usize,
}

/// A value that holds no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Bool,
    Null,
}

/// Keys that stand once, and what the value behind them is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Key {
    Jsonrpc,
    Id,
    Method,
    Params,
    Result,
    Error,
    Name,
    Uri,
    TaskId,
    RequestState,
    InputResponses,
    Arguments,
    Task,
    Meta,
    Revision,
}

/// Where things stand in one message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub id: Option<Token>,
    pub method: Option<Token>,
    /// `params.name`.
    pub name: Option<Token>,
    /// `params.uri`.
    pub uri: Option<Token>,
    /// `params.taskId`.
    pub task: Option<Token>,
    /// The revision in `params._meta`.
    pub revision: Option<Token>,
    seen: u16,
    null_id: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    pub found: Found,
    pub batch: bool,
    any: bool,
    pending: Option<Key>,
    in_params: bool,
    in_meta: bool,
}

impl Key {
    const fn bit(self) -> u16 {
        1 << self as u8
    }

    fn of_message(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"jsonrpc" => Self::Jsonrpc,
            b"id" => Self::Id,
            b"method" => Self::Method,
            b"params" => Self::Params,
            b"result" => Self::Result,
            b"error" => Self::Error,
            _ => return None,
        })
    }

    fn of_params(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"name" => Self::Name,
            b"uri" => Self::Uri,
            b"taskId" => Self::TaskId,
            b"requestState" => Self::RequestState,
            b"inputResponses" => Self::InputResponses,
            b"arguments" => Self::Arguments,
            b"task" => Self::Task,
            b"_meta" => Self::Meta,
            _ => return None,
        })
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Jsonrpc => "jsonrpc",
            Self::Id => "id",
            Self::Method => "method",
            Self::Params => "params",
            Self::Result => "result",
            Self::Error => "error",
            Self::Name => "params.name",
            Self::Uri => "params.uri",
            Self::TaskId => "params.taskId",
            Self::RequestState => "params.requestState",
            Self::InputResponses => "params.inputResponses",
            Self::Arguments => "params.arguments",
            Self::Task => "params.task",
            Self::Meta => "params._meta",
            Self::Revision => "params._meta.io.modelcontextprotocol/protocolVersion",
        }
    }
}

impl Found {
    const fn has(&self, key: Key) -> bool {
        self.seen & key.bit() != 0
    }

    /// The call goes on from an answer that asked for input.
    pub(super) const fn continues(&self) -> bool {
        self.has(Key::RequestState) || self.has(Key::InputResponses)
    }

    pub(super) const fn asks_for_task(&self) -> bool {
        self.has(Key::Task)
    }

    /// It is an answer to something.
    pub(super) const fn is_response(&self) -> bool {
        self.has(Key::Result) || self.has(Key::Error)
    }

    /// A message is over: it is a request, a notification or a response.
    const fn check(&self) -> Result<(), NoMessage> {
        if !self.has(Key::Jsonrpc) {
            return Err(NoMessage::Version);
        }
        if self.has(Key::Method) {
            return match (self.has(Key::Result) || self.has(Key::Error), self.null_id) {
                (true, _) => Err(NoMessage::Kind),
                (false, true) => Err(NoMessage::Id),
                (false, false) => Ok(()),
            };
        }
        match (self.has(Key::Result), self.has(Key::Error)) {
            (true, true) | (false, false) => Err(NoMessage::Kind),
            // An error may be about a request whose id could not be read; a result is not.
            (true, false) if self.null_id => Err(NoMessage::Id),
            (true, false) if self.id.is_none() => Err(NoMessage::ResponseId),
            (true, false) | (false, true) => Ok(()),
        }
    }
}

impl Watch {
    const fn base(&self) -> u32 {
        if self.batch { 1 } else { 0 }
    }

    /// A key inside `depth` open values; none if it is longer than any we know.
    pub(super) fn key(&mut self, key: Option<&[u8]>, depth: u32) -> Result<(), Fault> {
        self.pending = None;
        let Some(key) = key else { return Ok(()) };
        let level = depth.saturating_sub(self.base());
        let known = match level {
            1 => Key::of_message(key),
            2 if self.in_params => Key::of_params(key),
            3 if self.in_meta => (key == b"io.modelcontextprotocol/protocolVersion").then_some(Key::Revision),
            _ => None,
        };
        let Some(known) = known else { return Ok(()) };
        if self.found.has(known) {
            if known == Key::Id {
                self.found.id = None;
            }
            return Err(Fault::Repeated { key: known.text() });
        }
        self.found.seen |= known.bit();
        self.pending = Some(known);
        Ok(())
    }

    /// An object or an array begins inside `depth` others.
    pub(super) fn open(&mut self, is_object: bool, depth: u32) -> Result<(), Fault> {
        if depth == 0 && !is_object {
            self.batch = true;
            return Ok(());
        }
        if depth == self.base() {
            return self.begin(is_object);
        }
        let shape = |shape| Err(Fault::Shape(shape));
        match self.pending.take() {
            Some(Key::Jsonrpc) => shape(NoMessage::Version),
            Some(Key::Id) => shape(NoMessage::Id),
            Some(Key::Method) => shape(NoMessage::Method),
            Some(Key::Error) if !is_object => shape(NoMessage::Error),
            Some(Key::Params) if !is_object => shape(NoMessage::Params),
            Some(Key::Params) => {
                self.in_params = true;
                Ok(())
            }
            Some(Key::Meta) => {
                self.in_meta = is_object;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, is_object: bool) -> Result<(), Fault> {
        if !is_object {
            return Err(Fault::Shape(NoMessage::NotAnObject));
        }
        self.any = true;
        self.found = Found::default();
        Ok(())
    }

    /// The innermost value ended; `depth` others are still open.
    pub(super) fn close(&mut self, depth: u32) -> Result<(), Fault> {
        if depth == 0 && !self.any {
            return Err(Fault::Shape(NoMessage::EmptyBatch));
        }
        match depth.checked_sub(self.base()) {
            Some(0) => self.found.check().map_err(Fault::Shape),
            Some(1) => {
                self.in_params = false;
                Ok(())
            }
            Some(2) => {
                self.in_meta = false;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A value without others in it. `text` is what a string says, if it is short.
    pub(super) fn scalar(&mut self, kind: Kind, token: Token, text: Option<&[u8]>, depth: u32) -> Result<(), Fault> {
        if depth <= self.base() {
            return Err(Fault::Shape(NoMessage::NotAnObject));
        }
        let Some(key) = self.pending.take() else { return Ok(()) };
        let is_text = kind == Kind::Text;
        match key {
            Key::Jsonrpc if !is_text || text != Some(b"2.0") => Err(Fault::Shape(NoMessage::Version)),
            Key::Id => self.id(kind, token),
            Key::Method if !is_text || text == Some(b"") => Err(Fault::Shape(NoMessage::Method)),
            Key::Error => Err(Fault::Shape(NoMessage::Error)),
            // Some clients write `null` for none.
            Key::Params if kind != Kind::Null => Err(Fault::Shape(NoMessage::Params)),
            Key::Method => self.keep(|found| &mut found.method, token),
            Key::Name if is_text => self.keep(|found| &mut found.name, token),
            Key::Uri if is_text => self.keep(|found| &mut found.uri, token),
            Key::TaskId if is_text => self.keep(|found| &mut found.task, token),
            Key::Revision if is_text => self.keep(|found| &mut found.revision, token),
            _ => Ok(()),
        }
    }

    fn id(&mut self, kind: Kind, token: Token) -> Result<(), Fault> {
        match kind {
            Kind::Text | Kind::Number => self.keep(|found| &mut found.id, token),
            // Whether it may be is known at the end of the message.
            Kind::Null => {
                self.found.null_id = true;
                Ok(())
            }
            Kind::Bool => Err(Fault::Shape(NoMessage::Id)),
        }
    }

    fn keep(&mut self, place: impl FnOnce(&mut Found) -> &mut Option<Token>, token: Token) -> Result<(), Fault> {
        *place(&mut self.found) = Some(token);
        Ok(())
    }
}
