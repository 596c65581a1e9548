//! Protobuf → how an agent wants its calls to travel.

use outrigger_model::calls::{Calls, WrittenCalls};

use crate::error::DecodeError;
use crate::proto::snapshot as wire;

pub fn calls(wire: Option<wire::Calls>) -> Result<Calls, DecodeError> {
    written(wire).try_into().map_err(|bad| DecodeError::field("calls", bad))
}

/// As it was sent, for whoever says for himself what is wrong with it.
pub fn written(wire: Option<wire::Calls>) -> WrittenCalls {
    let wire::Calls { timeout_ms, retry_count, headers, streaming } = wire.unwrap_or_default();
    let headers = headers.into_iter().map(|header| (header.name, header.value)).collect();
    WrittenCalls { timeout_ms, retry_count, headers, streaming }
}
