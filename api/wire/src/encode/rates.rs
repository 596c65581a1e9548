//! Limits on how often something is called → protobuf.

use outrigger_model::rate::{Allowance, Per, RateLimit};

use super::field;
use crate::proto::snapshot as wire;

pub fn rate(rate: &RateLimit) -> wire::RateLimit {
    let per = match rate.per {
        Per::All => wire::rate_limit::Per::All,
        Per::Caller => wire::rate_limit::Per::Caller,
        Per::Agent => wire::rate_limit::Per::Agent,
        Per::Tool => wire::rate_limit::Per::Tool,
    };
    let allowance = match rate.allowance {
        Allowance::Bucket { calls, every, burst } => wire::rate_limit::Allowance::Bucket(wire::rate_limit::Bucket {
            calls,
            every: Some(field::duration(every)),
            burst,
        }),
        Allowance::Quota { calls, window } => {
            wire::rate_limit::Allowance::Quota(wire::rate_limit::Quota { calls, window: Some(field::duration(window)) })
        }
    };
    let tools = rate.tools.iter().map(ToString::to_string).collect();
    wire::RateLimit { per: per.into(), tools, allowance: Some(allowance) }
}
