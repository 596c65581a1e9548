use super::*;

fn second(seconds: u64) -> Moment {
    Moment::from_start(Duration::from_secs(seconds))
}

#[test]
fn a_lease_is_due_when_its_time_has_come_and_not_before() {
    let rules = LeaseRules::default();
    let lease = Lease::renewed(&rules, second(10));
    assert!(!lease.is_due(second(29)));
    assert!(lease.is_due(second(30)));
}

#[test]
fn a_broken_stream_neither_shortens_nor_prolongs_a_lease() {
    let lease = Lease::renewed(&LeaseRules::default(), second(0)).suspected();
    assert_eq!(lease, Lease::Suspect { until: second(20) });
    assert_eq!(lease.suspected(), lease);
}

#[test]
fn what_is_gone_is_not_due_again() {
    let gone = Lease::Gone { since: second(5) };
    assert!(!gone.is_due(second(500)));
    assert_eq!(gone.suspected(), gone);
    assert_eq!(gone.at_least(second(900)), gone);
}

#[test]
fn after_a_start_of_control_a_lease_lasts_two_periods() {
    let lease = Lease::found(&LeaseRules::default(), Moment::START);
    assert!(!lease.is_due(second(39)));
    assert!(lease.is_due(second(40)));
}

#[test]
fn a_lease_spans_at_least_two_signals() {
    let check = |light, lease, expected: bool| {
        let rules = LeaseRules::new(Duration::from_secs(light), Duration::from_secs(lease));
        assert_eq!(rules.is_ok(), expected, "light {light}, lease {lease}");
    };
    check(5, 20, true);
    check(1, 2, true);
    check(0, 20, false);
    check(5, 9, false);
    check(5, 100_000, false);
    check(4_000, 9_000, false);
}
