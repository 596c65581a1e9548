use super::*;

#[test]
fn a_number_executed_again_is_told_apart_and_a_new_run_forgets() {
    let runs = Runs::default();
    runs.begin(100);
    for number in [1, 2, 1, 99, 1] {
        runs.execute(number);
    }
    assert_eq!(runs.executed(), Executed { once: 3, again: 2 });
    runs.begin(100);
    assert_eq!(runs.executed(), Executed::default());
}

#[test]
fn a_number_of_no_run_counts_nowhere() {
    let runs = Runs::default();
    runs.execute(1);
    runs.begin(10);
    runs.execute(1_000_000);
    assert_eq!(runs.executed(), Executed::default());
}
