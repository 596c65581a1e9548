use super::*;

/// How many of `count` that come at `at` are taken, and what the others are told.
fn storm(admission: &mut Admission, at: Instant, count: usize) -> (usize, Vec<Duration>) {
    let asked: Vec<_> = (0..count).map(|_| admission.ask(at)).collect();
    (asked.iter().filter(|one| one.is_ok()).count(), asked.into_iter().filter_map(Result::err).collect())
}

#[test]
fn a_second_takes_its_rate_and_a_rest_is_worth_one_more_second() {
    let (mut admission, start) = (Admission::new(100), Instant::now());
    assert_eq!(storm(&mut admission, start, 1_000).0, 100);
    assert_eq!(storm(&mut admission, start, 1).0, 0);
    assert_eq!(storm(&mut admission, start + Duration::from_millis(500), 1_000).0, 50);
    assert_eq!(storm(&mut admission, start + Duration::from_secs(3_600), 1_000).0, 100);
}

#[test]
fn those_that_are_refused_together_are_told_to_come_one_after_the_other() {
    let (mut admission, start) = (Admission::new(100), Instant::now());
    let (_, told) = storm(&mut admission, start, 1_100);
    assert!(told.windows(2).all(|pair| pair[0] < pair[1]), "{told:?}");
    assert_eq!(told.last().map(Duration::as_secs), Some(10));
}

#[test]
fn whoever_comes_when_it_was_told_to_is_taken() {
    let (mut admission, start) = (Admission::new(100), Instant::now());
    let (_, told) = storm(&mut admission, start, 1_000);
    for after in told {
        assert_eq!(admission.ask(start + after), Ok(()), "after {after:?}");
    }
}

#[test]
fn nobody_is_sent_away_for_longer_than_15_s() {
    let (mut admission, start) = (Admission::new(1), Instant::now());
    let (taken, told) = storm(&mut admission, start, 100);
    assert_eq!((taken, told.iter().max()), (1, Some(&AFTER_MAX)));
    let (taken, told) = storm(&mut admission, start + Duration::from_secs(20), 2);
    assert_eq!((taken, told.len()), (1, 1), "hints that were given do not take the rate away");
}
