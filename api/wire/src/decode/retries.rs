//! Protobuf → when a call is tried again.

use std::time::Duration;

use outrigger_model::retries::{ATTEMPTS_MAX, Backoff, Budget, KEPT_BODY_BYTES_MAX, Retries};

use super::{field, rates};
use crate::error::DecodeError;
use crate::proto::snapshot as wire;

pub fn retries(wire: wire::Retries) -> Result<Retries, DecodeError> {
    let optional = |name, wire: Option<prost_types::Duration>| -> Result<Option<Duration>, DecodeError> {
        wire.map(|wire| field::lasting(name, Some(wire))).transpose()
    };
    let per_second_min = field::within("budget_per_second_min", wire.budget_per_second_min, 0, u16::MAX.into())?;
    Ok(Retries {
        attempts: field::small("attempts", wire.attempts, 1, ATTEMPTS_MAX)?,
        per_try: optional("per_try_timeout", wire.per_try_timeout)?,
        backoff: Backoff {
            first: field::duration("backoff_first", field::required("backoff_first", wire.backoff_first)?)?,
            longest: field::duration("backoff_longest", field::required("backoff_longest", wire.backoff_longest)?)?,
        },
        budget: Budget {
            percent: field::percent("budget_percent", wire.budget_percent, 0)?,
            per_second_min: u16::try_from(per_second_min).unwrap_or(u16::MAX),
        },
        tools: rates::tools(&wire.tools)?,
        trust_hints: wire.trust_hints,
        hedge_after: optional("hedge_after", wire.hedge_after)?,
        body_bytes_max: field::within("body_bytes_max", wire.body_bytes_max, 0, KEPT_BODY_BYTES_MAX)?,
    })
}
