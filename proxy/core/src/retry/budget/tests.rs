use std::time::{Duration, Instant};

use outrigger_model::retries::Budget;

use super::RetryBudget;

const USUAL: Budget = Budget { percent: 20, per_second_min: 10 };

/// Every attempt fails, and every call would be tried three times. How often each call was sent, on average.
fn amplification_in_an_outage(per_second: u64, seconds: u64, budget: Budget) -> f64 {
    let (pool, began) = (RetryBudget::default(), Instant::now());
    let (mut calls, mut sent) = (0_u64, 0_u64);
    for at in 0..per_second * seconds {
        let now = began + Duration::from_micros(at * 1_000_000 / per_second);
        pool.saw_call(now);
        calls += 1;
        sent += 1 + (0..2).filter(|_| pool.take(budget, now)).count() as u64;
    }
    sent as f64 / calls as f64
}

#[test]
fn in_a_total_outage_a_pool_gets_a_fifth_more_at_most() {
    for per_second in [50, 60, 100, 777, 5_000] {
        let amplified = amplification_in_an_outage(per_second, 60, USUAL);
        assert!(amplified <= 1.2 && amplified > 1.15, "{per_second}/s: {amplified}");
    }
}

#[test]
fn a_quiet_pool_may_try_again_all_the_same() {
    let amplified = amplification_in_an_outage(1, 60, USUAL);
    assert!((amplified - 3.0).abs() < 0.01, "every call of it is tried three times: {amplified}");
    let (pool, now) = (RetryBudget::default(), Instant::now());
    assert_eq!((0..100).filter(|_| pool.take(USUAL, now)).count(), 10, "and no more than it says in one second");
    assert_eq!((0..100).filter(|_| pool.take(USUAL, now + Duration::from_secs(1))).count(), 10);
}

#[test]
fn without_a_budget_nothing_is_sent_again() {
    let (pool, now) = (RetryBudget::default(), Instant::now());
    (0..1_000).for_each(|_| pool.saw_call(now));
    assert!(!pool.take(Budget { percent: 0, per_second_min: 0 }, now));
    assert_eq!(pool.left(USUAL, now), 200);
}

#[test]
fn load_that_is_ten_seconds_ago_counts_no_more() {
    let (pool, now) = (RetryBudget::default(), Instant::now());
    let shares_only = Budget { percent: 20, per_second_min: 0 };
    (0..1_000).for_each(|_| pool.saw_call(now));
    for (seconds, left) in [(0, 200), (9, 200), (10, 0), (11, 0), (3_600, 0)] {
        assert_eq!(pool.left(shares_only, now + Duration::from_secs(seconds)), left, "after {seconds} s");
    }
    pool.saw_call(now + Duration::from_secs(11));
    assert_eq!(pool.left(shares_only, now + Duration::from_secs(12)), 0, "a place that is used again begins at none");
}

/// Against a list of all that happened, with arrivals and outages by chance.
#[test]
fn it_allows_what_a_plain_list_would() {
    for seed in 1..200_u64 {
        let mut chance = chance_of(seed);
        let (pool, began, mut at_ms) = (RetryBudget::default(), Instant::now(), 0_u64);
        let budget = Budget { percent: (chance() % 101) as u8, per_second_min: (chance() % 20) as u16 };
        // Its seconds are counted from the first call that it hears of.
        pool.saw_call(began);
        let (mut calls, mut repeated) = (vec![0], Vec::<u64>::new());
        for _ in 0..400 {
            at_ms += chance() % 120;
            let (now, second) = (began + Duration::from_millis(at_ms), at_ms / 1_000);
            if !chance().is_multiple_of(3) {
                pool.saw_call(now);
                calls.push(second);
            } else {
                let within = |list: &[u64]| list.iter().filter(|one| second - **one < 10).count();
                let share = within(&calls) * usize::from(budget.percent) / 100;
                let this_second = repeated.iter().filter(|one| **one == second).count();
                let wanted = within(&repeated) < share || this_second < usize::from(budget.per_second_min);
                assert_eq!(pool.take(budget, now), wanted, "seed {seed} at {at_ms} ms");
                if wanted {
                    repeated.push(second);
                }
            }
        }
    }
}

fn chance_of(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 11
    }
}
