use super::*;

#[test]
fn quantiles_are_in_microseconds_and_nothing_is_zero() {
    let mut times = Times::default();
    assert_eq!(times.quantile_us(0.5), 0.0);
    for milliseconds in 1..=100 {
        times.record(Duration::from_millis(milliseconds));
    }
    let close = |found: f64, expected: f64| (found - expected).abs() / expected < 0.002;
    assert!(close(times.quantile_us(0.5), 50_000.0));
    assert!(close(times.quantile_us(0.99), 99_000.0));
    assert!(close(times.max_us(), 100_000.0));
}

#[test]
fn a_time_beyond_the_range_is_kept_as_the_longest() {
    let mut times = Times::default();
    times.record(Duration::from_secs(600));
    assert_eq!(times.count(), 1);
    assert!(times.max_us() >= 60_000_000.0);
}
