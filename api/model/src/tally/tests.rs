use super::*;

fn tally(since: u64, calls: u64, failed: u64) -> Tally {
    Tally { since, calls, failed, begun: calls, begun_micros: calls * 10 }
}

#[test]
fn what_came_between_two_counts_is_their_difference_unless_counting_began_anew() {
    assert_eq!(tally(1, 10, 3).after(&tally(1, 4, 1)), tally(1, 6, 2));
    assert_eq!(tally(2, 100, 1).after(&tally(1, 4, 1)), tally(2, 100, 1), "the proxy started again");
    assert_eq!(tally(1, 10, 0).after(&tally(1, 10, 0)).calls, 0);
}
