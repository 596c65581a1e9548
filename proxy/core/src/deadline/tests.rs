use std::time::{Duration, Instant};

use outrigger_model::route::Limits;

use super::{Deadlines, Due, Next};
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
