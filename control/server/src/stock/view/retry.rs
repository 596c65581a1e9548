//! When Envoy may send a call again.
//!
//! In: the retries of a route. Out: a retry policy, or none.
//! Invariant: what may have run is sent again only where the operator named the tool as one that may run twice.

use envoy_types::pb::envoy::config::route::v3::RetryPolicy;
use envoy_types::pb::envoy::config::route::v3::retry_policy::{RetryBackOff, RetryHostPredicate, retry_host_predicate};
use outrigger_model::retries::Retries;

use super::head;
use crate::stock::pack::{duration, empty, number};

/// Nothing of the call reached anybody.
const NOTHING_SENT: &str = "connect-failure,refused-stream,reset-before-request,retriable-headers";
/// It may have run; the answer did not come, or a proxy on the way could not get it.
const MAY_HAVE_RUN: &str = "connect-failure,refused-stream,reset,gateway-error,retriable-headers";
/// An inbound proxy writes it on answers of its own that mean: the agent got nothing of the call. No agent can.
pub const REFUSAL_HEADER: &str = "outrigger-refusal";
const PREVIOUS_HOSTS: &str = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";
/// Picks until an endpoint comes that was not asked yet. A pick costs nothing, and two endpoints come by chance.
const HOST_TRIES: i64 = 20;

/// For calls of which nothing is known.
pub fn of_calls(retries: &Retries) -> Option<RetryPolicy> {
    policy(retries, NOTHING_SENT)
}

/// For calls that may run twice.
pub fn of_repeatable(retries: &Retries) -> Option<RetryPolicy> {
    let again = policy(retries, MAY_HAVE_RUN)?;
    Some(RetryPolicy { per_try_timeout: retries.per_try.map(duration), ..again })
}

fn policy(retries: &Retries, on: &str) -> Option<RetryPolicy> {
    let again = retries.attempts.checked_sub(1).filter(|again| *again > 0)?;
    let elsewhere = RetryHostPredicate {
        name: "envoy.retry_host_predicates.previous_hosts".to_owned(),
        config_type: Some(retry_host_predicate::ConfigType::TypedConfig(empty(PREVIOUS_HOSTS))),
    };
    Some(RetryPolicy {
        retry_on: on.to_owned(),
        num_retries: number(again.into()),
        retry_host_predicate: vec![elsewhere],
        host_selection_retry_max_attempts: HOST_TRIES,
        retriable_headers: vec![head::present(REFUSAL_HEADER)],
        retry_back_off: Some(RetryBackOff {
            base_interval: Some(duration(retries.backoff.first)),
            max_interval: Some(duration(retries.backoff.longest.max(retries.backoff.first))),
        }),
        ..Default::default()
    })
}
