use super::*;

#[test]
fn due_times_are_spread_evenly_and_do_not_drift() {
    let start = Instant::now();
    let pace = Pace::new(start, 3);
    assert_eq!(pace.due(0), start);
    assert_eq!(pace.due(3_000_000), start + Duration::from_secs(1_000_000));
}

#[test]
fn what_is_due_by_now_is_everything_whose_time_has_come() {
    let start = Instant::now();
    let pace = Pace::new(start, 1_000);
    for index in [0, 1, 7, 1_000] {
        assert_eq!(pace.due_by(pace.due(index)), index + 1);
    }
}

#[tokio::test]
async fn calls_are_given_out_when_due_and_never_before() {
    let pace = Pace::new(Instant::now(), 2_000);
    let (due, mut given) = mpsc::channel(8);
    beat(pace, 200, due).unwrap();
    let mut count = 0;
    while let Some(at) = given.recv().await {
        assert_eq!(at, pace.due(count));
        assert!(at <= Instant::now());
        count += 1;
    }
    assert_eq!(count, 200);
    assert!(Instant::now() >= pace.due(199));
}
