//! How an agent wants its calls to travel → protobuf.

use outrigger_model::calls::{Calls, WrittenCalls};

use crate::proto::snapshot as wire;
use crate::proto::snapshot::traffic::Header;

/// Nothing where it asks for nothing.
pub fn calls(calls: &Calls) -> Option<wire::Calls> {
    if calls.is_usual() {
        return None;
    }
    let WrittenCalls { timeout_ms, retry_count, headers, streaming } = calls.written();
    let headers = headers.into_iter().map(|(name, value)| Header { name, value }).collect();
    Some(wire::Calls { timeout_ms, retry_count, headers, streaming })
}
