use super::*;

#[test]
fn the_times_stand_behind_a_name_that_may_hold_brackets() {
    let text = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 100 1000 10";
    assert_eq!(stat_ticks(text), Some(300));
}

#[test]
fn resident_memory_and_busy_time_are_found_by_name() {
    let text = "Name:\tx\nVmHWM:\t    2345 kB\nVmRSS:\t    1234 kB\n";
    assert_eq!((status_kib(text, "VmRSS:"), status_kib(text, "VmHWM:")), (Some(1234), Some(2345)));
    assert_eq!(busy_ticks("cpu  10 1 20 1000 5 2 3 9 0 0\ncpu0 1 1 1\n"), Some(36));
}

#[test]
fn this_process_has_time_and_memory_and_a_process_that_is_not_there_has_none() {
    assert!(resident_kib(std::process::id()).unwrap() > 100);
    assert!(resident_peak_kib(std::process::id()).unwrap() >= resident_kib(std::process::id()).unwrap());
    assert!(cpu(std::process::id()).is_ok());
    assert!(cpu(u32::MAX).is_err());
}

#[test]
fn sockets_are_counted_as_they_are_opened() {
    let before = sockets(std::process::id()).unwrap();
    let open: Vec<_> = (0..50).map(|_| std::net::UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    // Other tests of this process open and close some, too.
    assert!(sockets(std::process::id()).unwrap() >= before + open.len() as u64 / 2);
}
