use super::*;

#[test]
fn pauses_double_up_to_the_longest_and_begin_anew_after_a_stream_that_lasted() {
    let mut pauses = Pauses::default();
    assert!(!pauses.any());
    let quick = Duration::from_millis(1);
    let seen: Vec<u128> = (0..9).map(|_| pauses.next(quick).as_millis()).collect();
    assert_eq!(seen, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    assert_eq!(pauses.next(LONGEST), FIRST);
    assert!(pauses.any());
}
