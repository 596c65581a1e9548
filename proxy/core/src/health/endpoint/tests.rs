use std::time::{Duration, Instant};

use outrigger_model::pool::policy::Outlier;

use super::Health;

#[test]
fn each_failure_after_an_ejection_ejects_for_twice_as_long_up_to_the_limit() {
    let mut health = Health::default();
    let mut now = Instant::now();
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        health.failed(&Outlier::default(), now);
        assert_eq!(health.ejected_until(now), Some(now + Duration::from_secs(seconds)));
        now += Duration::from_secs(seconds);
        assert_eq!(health.ejected_until(now), None, "the ejection ends by itself");
    }
}

#[test]
fn many_calls_that_fail_at_once_are_one_failure() {
    let mut health = Health::default();
    let now = Instant::now();
    for ms in 0..64 {
        health.failed(&Outlier::default(), now + Duration::from_millis(ms));
    }
    assert_eq!(health.ejected_until(now), Some(now + Duration::from_secs(1)));
}

#[test]
fn a_success_forgets_every_failure() {
    let mut health = Health::default();
    let now = Instant::now();
    health.failed(&Outlier::default(), now);
    health.failed(&Outlier::default(), now + Duration::from_secs(2));
    assert_eq!(health.failing_since(), Some(now));
    health.succeeded();
    assert_eq!(health, Health::default());
}

#[test]
fn one_that_may_not_be_ejected_fails_all_the_same() {
    let mut health = Health::default();
    let now = Instant::now();
    health.failed_and_stays(now);
    assert_eq!((health.ejected_until(now), health.failing_since()), (None, Some(now)));
    health.failed(&Outlier::default(), now + Duration::from_secs(1));
    assert_eq!(health.ejected_until(now), Some(now + Duration::from_secs(2)), "it begins where every other one does");
}
