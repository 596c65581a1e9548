use super::*;

#[test]
fn the_times_stand_behind_a_name_that_may_hold_brackets() {
    let text = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 100 1000 10";
    assert_eq!(stat_ticks(text), Some(300));
}

#[test]
fn resident_memory_and_busy_time_are_found_by_name() {
    assert_eq!(status_kib("Name:\tx\nVmRSS:\t    1234 kB\n"), Some(1234));
    assert_eq!(busy_ticks("cpu  10 1 20 1000 5 2 3 9 0 0\ncpu0 1 1 1\n"), Some(36));
}

#[test]
fn this_process_has_time_and_memory_and_a_process_that_is_not_there_has_none() {
    assert!(resident_kib(std::process::id()).unwrap() > 100);
    assert!(cpu(std::process::id()).is_ok());
    assert!(cpu(u32::MAX).is_err());
}
