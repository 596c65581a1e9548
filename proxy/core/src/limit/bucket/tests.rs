use std::time::Duration;

use super::{Bucket, Pace};

const SECOND: Duration = Duration::from_secs(1);

/// Plain numbers of a seed, the same at every run.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

fn takes(bucket: &mut Bucket, pace: Pace, now: Duration, times: u32) -> u32 {
    (0..times).map(|_| u32::from(bucket.take(pace, now.as_nanos() as u64).is_ok())).sum()
}

#[test]
fn a_new_bucket_gives_its_burst_and_then_what_comes_back() {
    let (mut bucket, pace) = (Bucket::default(), Pace::new(10, SECOND, 5));
    assert_eq!(takes(&mut bucket, pace, 3 * SECOND, 100), 5);
    assert_eq!(takes(&mut bucket, pace, 3 * SECOND + Duration::from_millis(99), 100), 0);
    assert_eq!(takes(&mut bucket, pace, 3 * SECOND + Duration::from_millis(100), 100), 1);
    assert_eq!(takes(&mut bucket, pace, 60 * SECOND, 100), 5, "no more than the burst is saved");
}

#[test]
fn who_is_refused_is_told_when_there_is_a_token_and_then_there_is_one() {
    let (mut bucket, pace) = (Bucket::default(), Pace::new(3, SECOND, 2));
    assert_eq!(takes(&mut bucket, pace, SECOND, 2), 2);
    let wait = bucket.take(pace, SECOND.as_nanos() as u64).expect_err("empty");
    assert_eq!(wait.as_millis(), 333);
    let before = (SECOND + wait).as_nanos() as u64 - 1;
    assert!(bucket.take(pace, before).is_err());
    assert_eq!(bucket.take(pace, before + 1), Ok(()));
}

#[test]
fn a_token_that_is_put_back_can_be_taken_again() {
    let (mut bucket, pace) = (Bucket::default(), Pace::new(1, SECOND, 1));
    assert_eq!(takes(&mut bucket, pace, SECOND, 2), 1);
    bucket.put_back(pace);
    assert_eq!(takes(&mut bucket, pace, SECOND, 2), 1);
}

#[test]
fn the_largest_and_the_smallest_numbers_stop_nothing() {
    for (calls, every, burst) in
        [(u32::MAX, Duration::from_nanos(1), u32::MAX), (1, Duration::MAX, u32::MAX), (0, SECOND, 0)]
    {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(Pace::new(calls, every, burst), u64::MAX - 1), Ok(()));
        bucket.put_back(Pace::new(calls, every, burst));
    }
}

#[test]
fn no_stretch_of_time_gets_more_than_the_burst_and_what_comes_back_in_it() {
    for seed in 0..500 {
        let mut next = numbers(seed);
        let (calls, every) = (next() % 50 + 1, next() % 5_000 + 1);
        let burst = next() % 20 + 1;
        let pace = Pace::new(calls as u32, Duration::from_millis(every), burst as u32);
        let (mut bucket, mut now, mut taken) = (Bucket::default(), next() % 1_000_000_000, Vec::new());
        for _ in 0..300 {
            now += next() % (every * 1_000_000 / calls * 2 + 1);
            if bucket.take(pace, now).is_ok() {
                taken.push(now);
            }
        }
        for (from, first) in taken.iter().enumerate() {
            for (to, last) in taken.iter().enumerate().skip(from) {
                let most = burst + (last - first) * calls / (every * 1_000_000);
                assert!((to - from + 1) as u64 <= most, "seed {seed}: {} in {} ns", to - from + 1, last - first);
            }
        }
        assert!(taken.len() as u64 >= burst.min(300), "seed {seed}: a bucket that gives nothing");
    }
}
