use std::time::{Duration, Instant};

use super::{Budget, Kind};
use crate::http2::frames::{Frame, Frames};

fn frame(kind: u8, flags: u8, length: u8) -> Frame {
    let mut found = None;
    Frames::of_server().pass(&[0, 0, length, kind, flags, 0, 0, 0, 1], |frame| found = Some(frame));
    found.unwrap()
}

/// How many of a frame are taken at one moment.
fn taken(budget: &mut Budget, frame: Frame, now: Instant) -> (u32, Kind) {
    for count in 0..100_000 {
        if let Err(kind) = budget.came(frame, now) {
            return (count, kind);
        }
    }
    panic!("{frame:?} is not bounded");
}

#[test]
fn each_flood_ends_after_its_burst() {
    let rows = [
        (frame(6, 0, 8), Kind::Ping),
        (frame(4, 0, 0), Kind::Settings),
        (frame(2, 0, 5), Kind::Priority),
        (frame(8, 0, 4), Kind::WindowUpdate),
        (frame(3, 0, 4), Kind::Reset),
        (frame(9, 0, 0), Kind::Continuation),
        (frame(0, 0, 0), Kind::EmptyData),
        (frame(77, 0, 0), Kind::Other),
    ];
    let now = Instant::now();
    for (frame, kind) in rows {
        assert_eq!(taken(&mut Budget::new(now), frame, now), (kind.allowance().burst, kind));
    }
}

#[test]
fn resets_that_a_caller_makes_us_send_are_bounded() {
    let now = Instant::now();
    let mut budget = Budget::new(now);
    let sent = (0..1_000).take_while(|_| budget.went(frame(3, 0, 4), now).is_ok()).count();
    assert_eq!(sent as u32, Kind::MadeReset.allowance().burst);
}

#[test]
fn requests_with_too_many_fields_are_bounded() {
    let now = Instant::now();
    let mut budget = Budget::new(now);
    let refused = (0..1_000).take_while(|_| budget.refused_below(now).is_ok()).count();
    assert_eq!(refused as u32, Kind::Oversized.allowance().burst);
}

#[test]
fn tokens_come_back_with_time_and_never_beyond_the_burst() {
    let start = Instant::now();
    let mut budget = Budget::new(start);
    let ping = frame(6, 0, 8);
    taken(&mut budget, ping, start);
    assert_eq!(taken(&mut budget, ping, start + Duration::from_millis(999)).0, 0);
    assert_eq!(taken(&mut budget, ping, start + Duration::from_secs(2)).0, 2 * Kind::Ping.allowance().per_second);
    assert_eq!(taken(&mut budget, ping, start + Duration::from_secs(3_600)).0, Kind::Ping.allowance().burst);
}

#[test]
fn a_caller_that_takes_payload_gives_window_back_without_end() {
    let now = Instant::now();
    let mut budget = Budget::new(now);
    for _ in 0..10_000 {
        assert_eq!(budget.went(frame(0, 0, 200), now), Ok(()));
        for _ in 0..2 {
            assert_eq!(budget.came(frame(8, 0, 4), now), Ok(()));
        }
        assert_eq!(budget.came(frame(6, 0, 8), now), Ok(()));
    }
}

#[test]
fn a_caller_that_cancels_half_of_its_requests_is_served_on() {
    let now = Instant::now();
    let mut budget = Budget::new(now);
    for _ in 0..10_000 {
        assert_eq!(budget.went(frame(0, 1, 20), now), Ok(()));
        assert_eq!(budget.came(frame(3, 0, 4), now), Ok(()));
    }
}
