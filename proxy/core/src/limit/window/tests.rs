use std::time::Duration;

use super::{Share, Window, end};

#[test]
fn all_proxies_mean_the_same_window_whenever_they_began() {
    let minute = Duration::from_secs(60);
    assert_eq!((end(minute, 0), end(minute, 59_999), end(minute, 60_000)), (60_000, 60_000, 120_000));
    assert_eq!(end(Duration::ZERO, 7), 8, "nothing is no length");
    assert_eq!(end(Duration::MAX, 7), u64::MAX);
}

#[test]
fn a_proxy_alone_gives_exactly_the_quota_in_each_window() {
    let mut window = Window::default();
    for ends in [100, 200, 300] {
        assert_eq!((0..50).filter(|_| window.take_alone(7, ends)).count(), 7);
    }
    assert!(!window.take_alone(7, 200), "a clock that is set back opens nothing again");
}

#[test]
fn a_share_of_the_store_is_used_up_before_more_is_asked_for() {
    let mut window = Window::default();
    let ask = Share::Ask { want: 10, ends_ms: 100 };
    assert_eq!(window.take_shared(640, 100), ask);
    assert!(window.granted(10, 100));
    assert_eq!((0..9).filter(|_| window.take_shared(640, 100) == Share::Taken).count(), 9);
    assert_eq!(window.take_shared(640, 100), ask);
    assert!(!window.granted(0, 100));
    assert_eq!(window.take_shared(640, 100), Share::Spent, "and the store is not asked again");
    assert_eq!(window.take_shared(640, 200), Share::Ask { want: 10, ends_ms: 200 });
}

#[test]
fn who_asks_while_another_does_asks_for_one_call_only() {
    let mut window = Window::default();
    assert_eq!(window.take_shared(640, 100), Share::Ask { want: 10, ends_ms: 100 });
    assert_eq!(window.take_shared(640, 100), Share::Ask { want: 1, ends_ms: 100 });
}

#[test]
fn what_is_granted_for_a_window_that_is_over_is_not_used_in_the_next() {
    let mut window = Window::default();
    assert_eq!(window.take_shared(640, 100), Share::Ask { want: 10, ends_ms: 100 });
    assert_eq!(window.take_shared(640, 200), Share::Ask { want: 10, ends_ms: 200 });
    assert!(window.granted(10, 100), "the call that waited has its part");
    assert_eq!(window.take_shared(640, 200), Share::Ask { want: 1, ends_ms: 200 });
}

#[test]
fn a_store_that_comes_and_goes_never_makes_it_more_than_the_quota_here() {
    let mut window = Window::default();
    let mut taken = 0;
    for turn in 0..100 {
        taken += match turn % 3 {
            0 => u32::from(window.take_alone(20, 100)),
            _ => match window.take_shared(20, 100) {
                Share::Taken => 1,
                Share::Spent => 0,
                Share::Ask { want, ends_ms } => u32::from(window.granted(want, ends_ms)),
            },
        };
    }
    assert_eq!(taken, 20);
}

#[test]
fn a_part_that_is_put_back_is_there_again() {
    let mut window = Window::default();
    assert!(window.take_alone(1, 100) && !window.take_alone(1, 100));
    window.put_back(100, false);
    assert!(window.take_alone(1, 100));
    window.put_back(900, false);
    assert!(!window.take_alone(1, 100), "not that of another window");
}

/// Proxies with one store, in any order, with answers that come late: the store's own number is never passed.
#[test]
fn proxies_that_share_a_store_never_pass_the_quota_together() {
    for seed in 1..2_000_u64 {
        let mut state = seed;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let quota = next(300) as u32 + 1;
        let mut left = quota;
        let mut windows = [Window::default(); 3];
        let (mut waiting, mut taken) = (Vec::new(), 0);
        for _ in 0..2_000 {
            let at = next(3) as usize;
            match windows[at].take_shared(quota, 100) {
                Share::Taken => taken += 1,
                Share::Spent => {}
                Share::Ask { want, ends_ms } => {
                    let granted = want.min(left);
                    left -= granted;
                    waiting.push((at, granted, ends_ms));
                }
            }
            if !waiting.is_empty() && next(2) == 0 {
                let (at, granted, ends_ms) = waiting.swap_remove(next(waiting.len() as u64) as usize);
                taken += u32::from(windows[at].granted(granted, ends_ms));
            }
        }
        for (at, granted, ends_ms) in waiting {
            taken += u32::from(windows[at].granted(granted, ends_ms));
        }
        assert!(taken <= quota, "seed {seed}: {taken} of {quota}");
        // What one proxy has not used of its last share nobody else can use.
        assert!(taken + 3 * (quota / 64).max(1) >= quota, "seed {seed}: {taken} of {quota}");
    }
}
