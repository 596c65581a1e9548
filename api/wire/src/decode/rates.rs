//! Protobuf → limits on how often something is called, and the tools that they are about.

use outrigger_model::rate::{Allowance, Per, RATES_MAX, RateLimit};
use outrigger_model::tool_pattern::{TOOL_PATTERNS_MAX, ToolPattern};

use super::field;
use crate::error::{DecodeError, Wrong};
use crate::proto::snapshot as wire;

pub fn rates(rates: Vec<wire::RateLimit>) -> Result<Vec<RateLimit>, DecodeError> {
    field::count("rates", rates.len(), RATES_MAX)?;
    let rates = rates.into_iter().enumerate();
    rates.map(|(at, wire)| rate(wire).map_err(|bad| bad.inside_item("rates", at))).collect()
}

fn rate(wire: wire::RateLimit) -> Result<RateLimit, DecodeError> {
    let per = match field::choice("per", wire.per)? {
        wire::rate_limit::Per::Unspecified => return Err(DecodeError::field("per", Wrong::Missing)),
        wire::rate_limit::Per::All => Per::All,
        wire::rate_limit::Per::Caller => Per::Caller,
        wire::rate_limit::Per::Agent => Per::Agent,
        wire::rate_limit::Per::Tool => Per::Tool,
    };
    let allowance = match field::required("allowance", wire.allowance)? {
        wire::rate_limit::Allowance::Bucket(bucket) => Allowance::Bucket {
            calls: field::within("bucket.calls", bucket.calls, 1, u32::MAX)?,
            every: field::lasting("bucket.every", bucket.every)?,
            burst: field::within("bucket.burst", bucket.burst, 1, u32::MAX)?,
        },
        wire::rate_limit::Allowance::Quota(quota) => Allowance::Quota {
            calls: field::within("quota.calls", quota.calls, 1, u32::MAX)?,
            window: field::lasting("quota.window", quota.window)?,
        },
    };
    Ok(RateLimit { per, tools: tools(&wire.tools)?, allowance })
}

pub fn tools(tools: &[String]) -> Result<Vec<ToolPattern>, DecodeError> {
    field::count("tools", tools.len(), TOOL_PATTERNS_MAX)?;
    let tools = tools.iter().enumerate();
    tools.map(|(at, text)| text.parse::<ToolPattern>().map_err(|bad| DecodeError::item("tools", at, bad))).collect()
}
