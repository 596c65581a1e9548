use super::*;

const LIMITS: SessionLimits = SessionLimits { per_caller: Some(2), per_agent: Some(3), total: Some(5) };

#[test]
fn one_more_is_allowed_below_every_limit_and_the_narrowest_that_is_reached_is_named() {
    let check = |caller, agent, total, expected: Option<SessionLimit>| {
        assert_eq!(reached(&LIMITS, Counts { caller, agent, total }), expected, "{caller} {agent} {total}");
    };
    check(1, 2, 4, None);
    check(2, 3, 5, Some(SessionLimit::PerCaller(2)));
    check(1, 3, 5, Some(SessionLimit::PerAgent(3)));
    check(1, 2, 5, Some(SessionLimit::Total(5)));
}

#[test]
fn without_limits_nothing_is_reached() {
    let counts = Counts { caller: usize::MAX, agent: usize::MAX, total: usize::MAX };
    assert_eq!(reached(&SessionLimits::default(), counts), None);
    assert!(is_far(&LIMITS, 1) && !is_far(&LIMITS, 2));
}
