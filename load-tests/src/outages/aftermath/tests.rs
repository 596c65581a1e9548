use super::*;

const WAIT: Duration = Duration::from_millis(20);

fn call(due_ms: u64, took_ms: u64, fate: Fate) -> Call {
    Call { number: due_ms, due: Duration::from_millis(due_ms), took: Duration::from_millis(took_ms), fate }
}

fn quiet(until_ms: u64) -> Vec<Call> {
    (0..until_ms).map(|at| call(at, 1, Fate::Answered)).collect()
}

#[test]
fn calls_that_failed_or_waited_after_the_fault_are_counted() {
    let mut calls = quiet(1_000);
    // Under way when the fault came, and those after it.
    calls.extend([call(990, 60, Fate::Answered), call(1_050, 1, Fate::Refused(503)), call(1_300, 1, Fate::Answered)]);
    let found = aftermath(&calls, Duration::from_secs(1), WAIT);
    assert_eq!((found.affected, found.failed), (2, 1));
    assert_eq!(found.longest, Duration::from_millis(60));
    assert_eq!(found.last_due, Duration::from_millis(50));
    assert_eq!(found.last_ended, Duration::from_millis(51));
}

#[test]
fn what_was_usual_before_is_not_the_faults_doing() {
    let mut calls: Vec<Call> = (0..1_000).map(|at| call(at, 30, Fate::Answered)).collect();
    calls.push(call(1_500, 50, Fate::Answered));
    let found = aftermath(&calls, Duration::from_millis(1_200), WAIT);
    assert_eq!(found.affected, 0, "{found:?}");
    calls.push(call(1_500, 90, Fate::Answered));
    assert_eq!(aftermath(&calls, Duration::from_millis(1_200), WAIT).affected, 1);
}

#[test]
fn a_fault_that_nobody_felt_is_over_at_once() {
    let found = aftermath(&quiet(2_000), Duration::from_secs(1), WAIT);
    assert_eq!((found.affected, found.last_due, found.last_ended), (0, Duration::ZERO, Duration::ZERO));
}
