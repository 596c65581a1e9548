use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;

use super::Live;
use crate::outcome::{Limit, NotReached, Outcome};

#[test]
fn a_call_is_in_flight_until_its_guard_is_dropped() {
    let live = Arc::new(Live::new(Instant::now()));
    let (first, second) = (live.enter(), live.enter());
    assert_eq!(live.in_flight(), 2);
    drop(first);
    assert_eq!(live.in_flight(), 1);
    drop(second);
    assert_eq!(live.in_flight(), 0);
}

#[test]
fn only_what_says_that_connecting_is_vain_ejects() {
    for (outcome, ejects) in [
        (Outcome::ConnectFailed, true),
        (Outcome::NotReached(NotReached::AgentUnreachable), true),
        (Outcome::NotReached(NotReached::UnknownReplica), true),
        (Outcome::NotReached(NotReached::Draining), false),
        (Outcome::NotReached(NotReached::Overloaded), false),
        (Outcome::Answered(StatusCode::INTERNAL_SERVER_ERROR), false),
        (Outcome::Lost, false),
        (Outcome::TimedOut, false),
        (Outcome::TookTooLong, false),
        (Outcome::CutOff(Limit::Idle), false),
        (Outcome::CallerLeft, false),
    ] {
        let now = Instant::now();
        let live = Live::new(now);
        live.record(outcome, now);
        assert_eq!(live.is_ejected(now), ejects, "{outcome:?}");
    }
}

#[test]
fn an_answer_ends_an_ejection_and_its_history() {
    let now = Instant::now();
    let live = Live::new(now);
    live.record(Outcome::ConnectFailed, now);
    assert!(live.is_ejected(now + Duration::from_millis(999)));
    assert!(!live.is_ejected(now + Duration::from_secs(1)));
    assert_eq!(live.failing_since(), Some(now));
    live.record(Outcome::Answered(StatusCode::OK), now);
    assert!(!live.is_ejected(now));
    assert_eq!(live.failing_since(), None);
}
