use super::Latency;

const SECOND: u64 = 1_000_000;

#[test]
fn one_slow_answer_is_seen_at_once_and_forgotten_slowly() {
    let latency = Latency::default();
    assert!(latency.estimate(0) == 0.0, "nothing is known of one that never answered");
    latency.saw(1_000, SECOND);
    latency.saw(50_000, 2 * SECOND);
    assert!((latency.estimate(2 * SECOND) - 50_000.0).abs() < 1.0);
    for at in 0..10 {
        latency.saw(1_000, (3 + at) * SECOND);
    }
    let later = latency.estimate(12 * SECOND);
    assert!((10_000.0..30_000.0).contains(&later), "{later}");
}

#[test]
fn what_is_not_called_any_more_gets_another_chance() {
    let latency = Latency::default();
    latency.saw(100_000, 0);
    assert!(latency.estimate(60 * SECOND) < 1_000.0);
}
