use std::time::Duration;

use outrigger_model::retries::Backoff;

use super::pause;

const MS: fn(u64) -> Duration = Duration::from_millis;

#[test]
fn the_longest_pause_doubles_up_to_what_is_allowed() {
    let backoff = Backoff { first: MS(25), longest: MS(250) };
    let longest = |repetition| pause(backoff, repetition, u64::MAX);
    let pauses = [1, 2, 3, 4, 5, 9, 40, u32::MAX].map(longest);
    assert_eq!(pauses, [MS(25), MS(50), MS(100), MS(200), MS(250), MS(250), MS(250), MS(250)]);
}

#[test]
fn each_pause_is_any_part_of_the_longest_and_their_mean_is_half_of_it() {
    let backoff = Backoff { first: MS(100), longest: MS(100) };
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    let mut sum = Duration::ZERO;
    for _ in 0..10_000 {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let pause = pause(backoff, 1, chance);
        assert!(pause <= MS(100));
        sum += pause;
    }
    assert_eq!(pause(backoff, 1, 0), Duration::ZERO);
    let mean = sum / 10_000;
    assert!((MS(48)..MS(52)).contains(&mean), "{mean:?}");
}

#[test]
fn a_route_without_pauses_goes_on_at_once_however_long_they_could_be() {
    assert_eq!(pause(Backoff { first: Duration::ZERO, longest: MS(250) }, 3, u64::MAX), Duration::ZERO);
    assert_eq!(pause(Backoff { first: Duration::MAX, longest: Duration::MAX }, 9, 0), Duration::ZERO);
}
