//! The words that pass between the generator and the echo agent.
//!
//! In: the number of a call. Out: the bytes of a request or of an answer, and readings of both.
//! Never here: sockets, counting.
//! Invariant: an answer carries the caller's number and the name of the replica that gave it.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::value::RawValue;

/// The one tool of the agent.
pub const TOOL: &str = "echo";
pub const LEGACY: &str = "2025-11-25";
pub const MODERN: &str = "2026-07-28";
pub const SESSION_HEADER: &str = "mcp-session-id";
pub const REVISION_HEADER: &str = "mcp-protocol-version";
pub const METHOD_HEADER: &str = "mcp-method";
pub const NAME_HEADER: &str = "mcp-name";

/// Brings an answer to about 300 bytes, which is what small tools answer.
const TEXT: &str = "the quick brown fox jumps over the lazy dog, and the lazy dog sleeps on in the afternoon sun";

/// In which form a call is asked to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    /// So many progress events, each after a pause, and then the answer.
    Events {
        count: u32,
        every_ms: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// With sessions, opened by `initialize`.
    Legacy,
    /// Without sessions; method and name stand in headers.
    Modern,
}

/// What the agent reads of a request; everything else is passed over.
#[derive(Debug, Deserialize)]
pub struct Request<'a> {
    #[serde(borrow)]
    pub id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub method: Cow<'a, str>,
    #[serde(default)]
    pub params: Params,
}

#[derive(Debug, Default, Deserialize)]
pub struct Params {
    #[serde(default)]
    pub arguments: Arguments,
}

#[derive(Debug, Default, Deserialize)]
pub struct Arguments {
    pub number: Option<u64>,
    #[serde(default)]
    pub events: u32,
    #[serde(default)]
    pub every_ms: u32,
}

/// What the generator reads of an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    pub number: u64,
    pub replica: Cow<'a, str>,
}

/// The body of one `tools/call`. `padding` makes it as large as the scenario asks.
pub fn call(number: u64, form: Form, era: Era, padding: &str) -> String {
    let (events, every_ms) = match form {
        Form::Json => (0, 0),
        Form::Events { count, every_ms } => (count, every_ms),
    };
    let meta = match era {
        Era::Legacy => "",
        Era::Modern => {
            r#","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#
        }
    };
    format!(
        r#"{{"jsonrpc":"2.0","id":{number},"method":"tools/call","params":{{"name":"{TOOL}","arguments":{{"number":{number},"events":{events},"every_ms":{every_ms},"text":"{padding}"}}{meta}}}}}"#
    )
}

/// The result of `tools/call`, under the id that the caller chose.
pub fn answer(id: &str, number: u64, replica: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"{TEXT}"}}],"structuredContent":{{"number":{number},"replica":"{replica}"}},"isError":false,"resultType":"complete"}}}}"#
    )
}

/// A progress event, stamped with the time it was made.
pub fn progress(number: u64, step: u32, total: u32) -> String {
    let made = unix_nanos();
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{number},"progress":{step},"total":{total},"message":"{made}"}}}}"#
    )
}

/// Reads an answer; `None` if it is an error, something else, or its id is not its number.
pub fn read_answer(bytes: &[u8]) -> Option<Answer<'_>> {
    #[derive(Deserialize)]
    struct Message<'a> {
        id: u64,
        #[serde(borrow)]
        result: Outcome<'a>,
    }
    #[derive(Deserialize)]
    struct Outcome<'a> {
        #[serde(borrow, rename = "structuredContent")]
        content: Content<'a>,
    }
    #[derive(Deserialize)]
    struct Content<'a> {
        number: u64,
        #[serde(borrow)]
        replica: Cow<'a, str>,
    }
    let message: Message<'_> = serde_json::from_slice(bytes).ok()?;
    let content = message.result.content;
    (message.id == content.number).then_some(Answer { number: content.number, replica: content.replica })
}

/// When a progress event was made, in nanoseconds of Unix time; `None` if it is no progress event.
pub fn read_progress(bytes: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Message {
        params: Progress,
    }
    #[derive(Deserialize)]
    struct Progress {
        message: String,
    }
    let message: Message = serde_json::from_slice(bytes).ok()?;
    message.params.message.parse().ok()
}

/// The clock that generator and agent share: they run on one machine.
pub fn unix_nanos() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
