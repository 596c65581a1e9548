use outrigger_model::traffic::Priority::{self, High, Low, Normal};

use super::{admits, level, said};

fn check(used: u64, let_in: [bool; 6]) {
    let level = level(used, 200);
    let rows = [(Low, true), (Low, false), (Normal, true), (Normal, false), (High, true), (High, false)];
    let rows = rows.map(|(priority, stream)| admits(level, priority, stream));
    assert_eq!(rows, let_in, "at {used} of 200");
}

#[test]
fn streams_and_low_priority_go_first_then_normal_then_high() {
    check(0, [true; 6]);
    check(169, [true; 6]);
    check(170, [false, false, false, true, false, true]);
    check(189, [false, false, false, true, false, true]);
    check(190, [false, false, false, false, false, true]);
    check(199, [false, false, false, false, false, true]);
    check(200, [false; 6]);
    check(u64::MAX, [false; 6]);
}

#[test]
fn what_a_peer_says_of_a_call_is_a_priority_or_nothing() {
    for priority in Priority::ALL {
        assert_eq!(said(priority.as_str().as_bytes()), priority);
    }
    assert_eq!((said(b"urgent"), said(b"\xff")), (Normal, Normal));
}

#[test]
fn nothing_to_use_is_used_up_by_anything() {
    assert_eq!((level(0, 0), level(1, 0)), (0, 1_000));
}
