use std::time::{Duration, Instant};

use outrigger_model::route::Limits;

use super::{Deadlines, Due, Next, patience, seconds_left};
use crate::outcome::Limit::{FirstByte, Idle, Total};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn limits(first_byte: u64, idle: u64, total: u64) -> Limits {
    let limit = |number| (number > 0).then_some(seconds(number));
    Limits { first_byte: limit(first_byte), idle: limit(idle), total: limit(total) }
}

#[test]
fn the_limit_that_passes_first_is_the_one() {
    let began = Instant::now();
    let at = |second, due| Some((began + seconds(second), due));
    let check = |limits, found: fn(&Deadlines, Instant) -> Next, moved: u64, expected| {
        assert_eq!(found(&Deadlines::new(limits, None, began), began + seconds(moved)), expected, "{limits:?}");
    };
    check(limits(5, 7, 20), Deadlines::before_head, 1, at(6, Due::Limit(FirstByte)));
    check(limits(5, 7, 20), Deadlines::before_head, 16, at(20, Due::Limit(Total)));
    check(limits(5, 7, 20), Deadlines::after_head, 1, at(8, Due::Limit(Idle)));
    check(limits(5, 7, 20), Deadlines::after_head, 14, at(20, Due::Limit(Total)));
    check(limits(5, 0, 0), Deadlines::after_head, 1, None);
    check(limits(0, 7, 0), Deadlines::before_head, 1, None);
    check(limits(0, 0, 20), Deadlines::before_head, 100, at(20, Due::Limit(Total)));
}

#[test]
fn a_comment_is_due_when_the_caller_heard_nothing_for_long_enough() {
    let began = Instant::now();
    let deadlines = Deadlines::new(limits(1, 10, 0), Some(seconds(3)), began);
    let due = |came, told| deadlines.of_events(began + seconds(came), began + seconds(told));
    assert_eq!(due(0, 0), Some((began + seconds(3), Due::KeepAlive)));
    assert_eq!(due(0, 6), Some((began + seconds(9), Due::KeepAlive)));
    assert_eq!(
        due(0, 9),
        Some((began + seconds(10), Due::Limit(Idle))),
        "a comment is not a sign of life of the agent"
    );
    let quiet = Deadlines::new(limits(1, 0, 0), None, began);
    assert_eq!(quiet.of_events(began, began), None);
}

#[test]
fn what_is_beyond_the_clock_never_comes() {
    let limits = Limits { total: Some(Duration::MAX), ..Limits::NONE };
    assert_eq!(
        Deadlines::new(limits, Some(Duration::MAX), Instant::now()).of_events(Instant::now(), Instant::now()),
        None
    );
}

#[test]
fn what_a_caller_waits_for_and_what_its_route_allows_are_one_limit() {
    let began = Instant::now();
    for (total, patience, ends) in [(60, None, 60), (60, Some(7), 7), (60, Some(300), 60), (0, Some(300), 300)] {
        let deadlines = Deadlines::new(limits(0, 0, total), None, began).within(patience.map(seconds), began);
        assert_eq!(
            deadlines.before_head(began),
            Some((began + seconds(ends), Due::Limit(Total))),
            "{total} {patience:?}"
        );
        assert_eq!(deadlines.left(began + seconds(2)), Some(seconds(ends - 2)));
        assert_eq!(deadlines.left(began + seconds(1_000)), Some(Duration::ZERO));
    }
    assert_eq!(Deadlines::new(limits(0, 0, 0), None, began).within(None, began).left(began), None);
}

#[test]
fn one_try_ends_before_the_call_does() {
    let began = Instant::now();
    let deadlines = Deadlines::new(limits(30, 0, 60), None, began);
    let first = |per_try| deadlines.trying_for(per_try).before_head(began);
    assert_eq!(first(Some(seconds(2))), Some((began + seconds(2), Due::Limit(FirstByte))));
    assert_eq!(first(Some(seconds(40))), Some((began + seconds(30), Due::Limit(FirstByte))));
    assert_eq!(first(None), Some((began + seconds(30), Due::Limit(FirstByte))));
}

#[test]
fn a_caller_says_in_seconds_how_long_it_waits_and_what_is_no_time_is_not_heard() {
    for (written, heard) in [
        ("300", Some(Duration::from_secs(300))),
        ("1.5", Some(Duration::from_millis(1_500))),
        (" 17 ", Some(Duration::from_secs(17))),
        ("0", None),
        ("0.0", None),
        ("-1", None),
        ("+1", None),
        ("1e3", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("1.2.3", None),
        ("99999999999999999999999999", None),
    ] {
        assert_eq!(patience(written.as_bytes()), heard, "{written}");
    }
    assert_eq!(patience(b"\xff"), None);
}

#[test]
fn what_is_left_is_told_in_whole_seconds_and_never_as_none() {
    for (left, told) in [(0, 1), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (16_400, 17)] {
        assert_eq!(seconds_left(Duration::from_millis(left)), told, "{left} ms");
    }
}
