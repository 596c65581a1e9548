//! When a call is tried again → protobuf.

use outrigger_model::retries::Retries;

use super::field;
use crate::proto::snapshot as wire;

pub fn retries(retries: &Retries) -> wire::Retries {
    wire::Retries {
        attempts: retries.attempts.into(),
        per_try_timeout: retries.per_try.map(field::duration),
        backoff_first: Some(field::duration(retries.backoff.first)),
        backoff_longest: Some(field::duration(retries.backoff.longest)),
        budget_percent: retries.budget.percent.into(),
        budget_per_second_min: retries.budget.per_second_min.into(),
        tools: retries.tools.iter().map(ToString::to_string).collect(),
        trust_hints: retries.trust_hints,
        hedge_after: retries.hedge_after.map(field::duration),
        body_bytes_max: retries.body_bytes_max,
    }
}
