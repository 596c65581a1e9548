use std::time::{Duration, Instant};

use http::StatusCode;

use super::{Case, Hold, Patience, Verdict, instead, patience};
use crate::mcp::table::Retry;
use crate::outcome::{Limit, NotReached, Outcome};
use crate::refusal::Refusal;

/// Of a call that asks nobody to wait.
fn judge(outcome: Outcome, hold: Hold, retry: Retry, route: &str, now: Instant) -> Verdict {
    super::judge(outcome, Case { hold, retry, asks_later: false, route }, now)
}

const SENT: [Outcome; 7] = [
    Outcome::Answered(StatusCode::BAD_GATEWAY),
    Outcome::Lost,
    Outcome::TimedOut,
    Outcome::TookTooLong,
    Outcome::BrokeOff,
    Outcome::CutOff(Limit::Idle),
    Outcome::CutOff(Limit::Total),
];

#[test]
fn what_may_have_reached_an_agent_and_may_act_is_never_tried_again() {
    let now = Instant::now();
    for outcome in SENT {
        assert!(outcome.reached_agent());
        for hold in
            [Hold::Free, Hold::Searching, Hold::Named, Hold::Session { failing_since: Some(now), movable: false }]
        {
            assert_ne!(
                judge(outcome, hold, Retry::ConnectOnly, "weather", now),
                Verdict::Again,
                "{outcome:?} {hold:?}"
            );
        }
    }
}

#[test]
fn which_limit_passed_decides_what_the_caller_sees() {
    let judge = |outcome| judge(outcome, Hold::Free, Retry::ConnectOnly, "weather", Instant::now());
    assert_eq!(judge(Outcome::TimedOut), Verdict::Refuse(Refusal::UpstreamTimeout));
    assert_eq!(judge(Outcome::TookTooLong), Verdict::Refuse(Refusal::TotalTimeout));
    assert_eq!(judge(Outcome::CutOff(Limit::Idle)), Verdict::Abort);
    assert_eq!(judge(Outcome::CutOff(Limit::Total)), Verdict::Abort);
}

#[test]
fn a_free_call_that_reached_nobody_is_tried_again() {
    for outcome in [Outcome::ConnectFailed, Outcome::NotReached(NotReached::Other)] {
        assert_eq!(judge(outcome, Hold::Free, Retry::ConnectOnly, "weather", Instant::now()), Verdict::Again);
    }
}

#[test]
fn a_session_waits_for_its_replica_and_not_for_ever() {
    let since = Instant::now();
    let hold = Hold::Session { failing_since: Some(since), movable: false };
    for (outcome, seconds, verdict) in [
        (Outcome::ConnectFailed, 0, Verdict::Refuse(Refusal::SessionUnreachable)),
        (Outcome::ConnectFailed, 4, Verdict::Refuse(Refusal::SessionUnreachable)),
        (Outcome::ConnectFailed, 5, Verdict::Forget(Refusal::SessionGone)),
        (Outcome::NotReached(NotReached::AgentUnreachable), 0, Verdict::Forget(Refusal::SessionGone)),
        (Outcome::NotReached(NotReached::UnknownReplica), 0, Verdict::Forget(Refusal::SessionGone)),
        (Outcome::NotReached(NotReached::Draining), 0, Verdict::Forget(Refusal::SessionGone)),
        (Outcome::NotReached(NotReached::Overloaded), 9, Verdict::Refuse(Refusal::SessionUnreachable)),
    ] {
        assert_eq!(
            judge(outcome, hold, Retry::ConnectOnly, "weather", since + Duration::from_secs(seconds)),
            verdict,
            "{outcome:?} {seconds}"
        );
    }
}

#[test]
fn a_read_is_repeated_elsewhere_only_where_nothing_holds_it() {
    let now = Instant::now();
    for outcome in [Outcome::Lost, Outcome::Answered(StatusCode::SERVICE_UNAVAILABLE)] {
        assert_eq!(judge(outcome, Hold::Free, Retry::SafeRead, "weather", now), Verdict::Again);
        for hold in [Hold::Named, Hold::Session { failing_since: None, movable: false }] {
            assert_ne!(judge(outcome, hold, Retry::SafeRead, "weather", now), Verdict::Again, "{outcome:?} {hold:?}");
        }
    }
    let lost = instead(Outcome::Lost, "weather");
    assert_eq!(lost, Verdict::Refuse(Refusal::UpstreamLost));
    assert_eq!(instead(Outcome::Answered(StatusCode::BAD_GATEWAY), "weather"), Verdict::Done, "its answer stands");
}

#[test]
fn only_a_patient_call_waits_and_it_ends_without_an_answer() {
    let began = Instant::now();
    let nobody = Refusal::NoProvider { route: "weather".into() };
    let later = began + Duration::from_secs(10);
    assert_eq!(patience(&nobody, true, began, began), Patience::WaitUntil(later));
    assert_eq!(patience(&nobody, true, began, later), Patience::Close);
    assert_eq!(patience(&nobody, false, began, began), Patience::Refuse);
    // An error of ours would be taken for a word of the protocol.
    assert_eq!(patience(&Refusal::Draining, true, began, began), Patience::Close);
    assert_eq!(patience(&Refusal::HeadTooLarge, true, began, began), Patience::Refuse);
}

#[test]
fn a_session_that_nobody_knows_is_asked_for_elsewhere_where_an_agent_ran_nothing() {
    let judge = |outcome| judge(outcome, Hold::Searching, Retry::ConnectOnly, "weather", Instant::now());
    for (outcome, verdict) in [
        (Outcome::Answered(StatusCode::NOT_FOUND), Verdict::Again),
        (Outcome::Answered(StatusCode::BAD_REQUEST), Verdict::Again),
        (Outcome::ConnectFailed, Verdict::Again),
        (Outcome::NotReached(NotReached::Draining), Verdict::Again),
        (Outcome::Answered(StatusCode::ACCEPTED), Verdict::Done),
        (Outcome::Answered(StatusCode::METHOD_NOT_ALLOWED), Verdict::Done),
        (Outcome::Answered(StatusCode::BAD_GATEWAY), Verdict::Done),
        (Outcome::Lost, Verdict::Refuse(Refusal::UpstreamLost)),
        (Outcome::TimedOut, Verdict::Refuse(Refusal::UpstreamTimeout)),
    ] {
        assert_eq!(judge(outcome), verdict, "{outcome:?}");
    }
    assert_eq!(
        instead(Outcome::Answered(StatusCode::NOT_FOUND), "weather"),
        Verdict::Done,
        "if all say so, that passes"
    );
}

#[test]
fn a_session_that_may_be_opened_again_moves_as_soon_as_nothing_can_run_where_it_was() {
    let now = Instant::now();
    let hold = Hold::Session { failing_since: None, movable: true };
    for (outcome, verdict) in [
        (Outcome::ConnectFailed, Verdict::Move),
        (Outcome::NotReached(NotReached::AgentUnreachable), Verdict::Move),
        (Outcome::NotReached(NotReached::UnknownReplica), Verdict::Move),
        (Outcome::NotReached(NotReached::Draining), Verdict::Move),
        (Outcome::Answered(StatusCode::NOT_FOUND), Verdict::Move),
        (Outcome::NotReached(NotReached::Overloaded), Verdict::Refuse(Refusal::SessionUnreachable)),
        (Outcome::NotReached(NotReached::Other), Verdict::Refuse(Refusal::SessionUnreachable)),
        (Outcome::Answered(StatusCode::BAD_REQUEST), Verdict::Done),
        (Outcome::Lost, Verdict::Refuse(Refusal::UpstreamLost)),
        (Outcome::TimedOut, Verdict::Refuse(Refusal::UpstreamTimeout)),
        (Outcome::BrokeOff, Verdict::Abort),
    ] {
        assert_eq!(judge(outcome, hold, Retry::ConnectOnly, "weather", now), verdict, "{outcome:?}");
    }
}
