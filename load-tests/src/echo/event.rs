//! Events of streams, each stamped with the time it was made.
//!
//! Two kinds: the progress of one call, and what a stream that a caller holds open is told.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::ask::Era;

/// One event of an open stream.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Told<'a> {
    pub stream: u64,
    /// From 0.
    pub step: u64,
    #[serde(borrow)]
    pub replica: Cow<'a, str>,
    /// Nanoseconds of Unix time.
    pub made: u64,
}

/// A progress event of call `number`.
pub fn progress(number: u64, step: u32, total: u32) -> String {
    let made = unix_nanos();
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{number},"progress":{step},"total":{total},"message":"{made}"}}}}"#
    )
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

/// Event `step` of an open stream: a log line in the legacy era, a change of the tagged subscription in the modern one.
pub fn told(era: Era, stream: u64, step: u64, replica: &str) -> String {
    let made = unix_nanos();
    let told = format!(r#"{{"stream":{stream},"step":{step},"replica":"{replica}","made":{made}}}"#);
    match era {
        Era::Legacy => format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"level":"info","logger":"echo","data":{told}}}}}"#
        ),
        Era::Modern => format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":{stream},"load.test/told":{told}}}}}}}"#
        ),
    }
}

/// First message of a listen stream.
pub fn acknowledged(stream: u64) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":{stream}}},"notifications":{{"toolsListChanged":true}}}}}}"#
    )
}

/// Last message of a listen stream.
pub fn closed(stream: u64, replica: &str, steps: u64) -> String {
    let told = format!(r#"{{"stream":{stream},"step":{steps},"replica":"{replica}","made":{}}}"#, unix_nanos());
    format!(
        r#"{{"jsonrpc":"2.0","id":{stream},"result":{{"resultType":"complete","_meta":{{"io.modelcontextprotocol/subscriptionId":{stream},"load.test/told":{told}}}}}}}"#
    )
}

/// Whether this opens listen stream `stream`.
pub fn is_acknowledged(bytes: &[u8], stream: u64) -> bool {
    bytes == acknowledged(stream).as_bytes()
        || matches!((value(bytes), value(acknowledged(stream).as_bytes())), (Some(got), Some(expected)) if got == expected)
}

/// Reads an event of an open stream, or the last message of a listen stream.
pub fn read_told(bytes: &[u8]) -> Option<Told<'_>> {
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow, alias = "result")]
        params: Params<'a>,
    }
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow)]
        data: Option<Told<'a>>,
        #[serde(borrow, rename = "_meta")]
        meta: Option<Meta<'a>>,
    }
    #[derive(Deserialize)]
    struct Meta<'a> {
        #[serde(rename = "io.modelcontextprotocol/subscriptionId")]
        subscription: u64,
        #[serde(borrow, rename = "load.test/told")]
        told: Told<'a>,
    }
    let params = serde_json::from_slice::<Message<'_>>(bytes).ok()?.params;
    match (params.data, params.meta) {
        (Some(told), None) => Some(told),
        (None, Some(meta)) if meta.subscription == meta.told.stream => Some(meta.told),
        _ => None,
    }
}

/// The clock that generator and agent share: they run on one machine.
pub fn unix_nanos() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}

fn value(bytes: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests;
