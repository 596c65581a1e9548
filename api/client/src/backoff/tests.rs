use super::*;

#[test]
fn waits_grow_to_the_longest_and_start_again_after_a_response() {
    let (first, longest) = (Duration::from_millis(100), Duration::from_secs(15));
    let mut backoff = Backoff::new(first, longest, fastrand::Rng::with_seed(7));
    for failures in 0..100 {
        let step = first.saturating_mul(2u32.saturating_pow(failures)).min(longest);
        assert!(backoff.next_wait() <= step);
    }
    let waits: Vec<_> = (0..100).map(|_| backoff.next_wait()).collect();
    assert!(waits.iter().any(|wait| *wait > longest / 2), "full jitter reaches far");
    assert!(waits.iter().any(|wait| *wait < longest / 2), "full jitter starts near");
    backoff.reset();
    assert!(backoff.next_wait() <= first);
}
