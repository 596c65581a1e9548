use std::time::Duration;

use outrigger_model::pool::policy::Breaker;
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

use super::{Circuit, State, Turn};

const RULES: Breaker = Breaker { failure_threshold: 3, recovery: Duration::from_millis(10) };

/// Calls that fail one after the other, each at its own moment.
fn fail(circuit: &Circuit, moments: std::ops::Range<u64>) -> Option<Turn> {
    moments.map(|now| circuit.failed(&RULES, now, false, now)).last().flatten()
}

#[test]
fn it_opens_after_failures_in_a_row_and_a_success_between_them_begins_anew() {
    let circuit = Circuit::default();
    assert_eq!(fail(&circuit, 1..3), None);
    assert_eq!(circuit.succeeded(3), None);
    assert_eq!(fail(&circuit, 4..6), None);
    assert_eq!(circuit.state(6), State::Closed);
    assert_eq!(circuit.failed(&RULES, 6, false, 6), Some(Turn::Opened));
    assert_eq!(circuit.state(7), State::Open(Duration::from_micros(9_999)));
    assert!(!circuit.enter(&RULES, 7));
}

#[test]
fn calls_that_break_at_once_are_one_failure_and_timeouts_are_as_many_as_they_are() {
    let circuit = Circuit::default();
    for _ in 0..64 {
        assert_eq!(circuit.failed(&RULES, 10, false, 1_000), None, "they all began before the first of them failed");
    }
    let slow = Circuit::default();
    let turns: Vec<_> = (0..3).map(|at| slow.failed(&RULES, at, true, 1_000 + at)).collect();
    assert_eq!(turns, [None, None, Some(Turn::Opened)]);
}

#[test]
fn half_open_lets_one_call_through_and_its_answer_decides() {
    let circuit = Circuit::default();
    fail(&circuit, 1..4);
    let later = 10_100;
    assert_eq!(circuit.state(later), State::HalfOpen);
    assert_eq!((0..9).filter(|_| circuit.enter(&RULES, later)).count(), 1);
    assert_eq!(circuit.succeeded(2), None, "an answer to what was sent before it opened");
    assert_eq!(circuit.failed(&RULES, 2, true, later + 1), None, "the same for a failure");
    assert_eq!(circuit.failed(&RULES, later, false, later + 5), Some(Turn::Opened));
    assert!(!circuit.enter(&RULES, later + 9_000), "open for as long again");
    let last = later + 5 + 10_000;
    assert!(circuit.enter(&RULES, last) && !circuit.enter(&RULES, last));
    assert_eq!(circuit.succeeded(last), Some(Turn::Closed));
    assert!(circuit.enter(&RULES, last) && circuit.enter(&RULES, last));
}

#[test]
fn a_trial_that_is_never_answered_is_followed_by_another() {
    let circuit = Circuit::default();
    fail(&circuit, 1..4);
    assert!(circuit.enter(&RULES, 20_000) && !circuit.enter(&RULES, 29_999) && circuit.enter(&RULES, 30_000));
}

#[test]
fn a_threshold_of_zero_never_opens() {
    let circuit = Circuit::default();
    let never = Breaker { failure_threshold: 0, ..RULES };
    assert!((0..100).all(|at| circuit.failed(&never, at, true, at).is_none()));
    assert_eq!(circuit.state(100), State::Closed);
}

proptest! {
    /// The model: a number of failures in a row, and a moment until which nothing goes through.
    #[test]
    fn it_does_what_a_plain_model_does(steps in prop::collection::vec((any::<bool>(), 1..4_000u64), 1..200)) {
        let circuit = Circuit::default();
        let (mut now, mut row, mut open): (u64, u32, Option<u64>) = (1, 0, None);
        for (good, pause) in steps {
            now += pause;
            let may = open.is_none_or(|until| now >= until);
            prop_assert_eq!(circuit.enter(&RULES, now), may);
            if !may {
                continue;
            }
            // While the trial is under way nobody else comes in.
            prop_assert!(open.is_none() || !circuit.enter(&RULES, now));
            let turn = if good { circuit.succeeded(now) } else { circuit.failed(&RULES, now, false, now) };
            let expected = match (good, open) {
                (true, None) => { row = 0; None }
                (true, Some(_)) => { (row, open) = (0, None); Some(Turn::Closed) }
                (false, Some(_)) => { open = Some(now + 10_000); Some(Turn::Opened) }
                (false, None) => {
                    row += 1;
                    (row == 3).then(|| { (row, open) = (0, Some(now + 10_000)); Turn::Opened })
                }
            };
            prop_assert_eq!(turn, expected);
        }
    }
}
