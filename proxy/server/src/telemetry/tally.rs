//! How the outbound calls went, all in all, for control.
//!
//! In: the meters of all routes, and how calls end. Out: a [`Tally`].
//! Never here: work on the request path beyond one count of a call that failed; the sums are made when control is told.

use std::time::SystemTime;

use outrigger_model::tally::Tally;

use super::routes::RouteTable;
use super::values::CallEnd;

/// The reason of a refusal that older callers see as 404, and that an intent can bring about.
const NO_ROUTE: &str = "no_route";

/// Whether a call counts as failed: as its caller sees it, something behind the proxy is not well.
pub(super) fn is_failure(end: CallEnd, status: u16) -> bool {
    match end {
        CallEnd::Answered => status >= 500,
        CallEnd::Refused(reason) => status >= 500 || reason == NO_ROUTE,
        CallEnd::Broken | CallEnd::IdleTimeout | CallEnd::TotalTimeout => true,
        CallEnd::Drained | CallEnd::Revoked | CallEnd::Abandoned => false,
    }
}

/// When counting began, in milliseconds since 1970.
pub(super) fn began() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn of(routes: &RouteTable, since: u64, failed: u64) -> Tally {
    let mut tally = Tally { since, failed, ..Tally::default() };
    routes.each(|meters| {
        let (calls, _) = meters.duration.totals();
        let (begun, took) = meters.first_byte.totals();
        tally.calls = tally.calls.saturating_add(calls);
        tally.begun = tally.begun.saturating_add(begun);
        tally.begun_micros = tally.begun_micros.saturating_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    });
    // A call is counted as failed before it is counted at all.
    tally.failed = tally.failed.min(tally.calls);
    tally
}
