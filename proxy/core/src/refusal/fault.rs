//! Why a body is no message that can be passed on.
//!
//! In: nothing; these are words. Out: a [`Fault`], found by `mcp::envelope` and told by the refusal.
//! Sources: RFC 8259 (JSON), JSON-RPC 2.0, MCP `basic` of each revision (ids are never null, a message is a request, a notification or a
//! response). Parsers differ in what they make of a repeated key, so a key that decides anything may stand once.

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the body is empty")]
    Empty,
    #[error("it is not JSON at byte {at}")]
    NotJson { at: usize },
    #[error("the text at byte {at} is not UTF-8")]
    Utf8 { at: usize },
    #[error("it ends in the middle, after {at} bytes")]
    CutOff { at: usize },
    #[error("something follows the message at byte {at}")]
    Trailing { at: usize },
    #[error("values are nested deeper than {most}")]
    TooDeep { most: u32 },
    #[error("the key `{key}` is given more than once")]
    Repeated { key: &'static str },
    #[error("{0}")]
    Shape(NoMessage),
}

/// How JSON is no JSON-RPC message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoMessage {
    #[error("a message is an object")]
    NotAnObject,
    #[error("a batch holds at least one message")]
    EmptyBatch,
    #[error("`jsonrpc` must be \"2.0\"")]
    Version,
    #[error("`id` must be a string or a number")]
    Id,
    #[error("`method` must be a string that is not empty")]
    Method,
    #[error("`params` must be an object")]
    Params,
    #[error("`error` must be an object")]
    Error,
    #[error("a message has a `method`, or else a `result` or an `error`")]
    Kind,
    #[error("a response needs its `id`")]
    ResponseId,
}

impl Fault {
    /// Whether the body is JSON at all: JSON-RPC 2.0 section 5.1 has a code for each.
    pub const fn is_json(self) -> bool {
        matches!(self, Self::Repeated { .. } | Self::Shape(_))
    }
}
