use super::*;
use crate::echo::answer::answer;

#[test]
fn a_progress_event_says_when_it_was_made() {
    let before = unix_nanos();
    let made = read_progress(progress(1, 1, 2).as_bytes()).unwrap();
    assert!(made >= before);
    assert_eq!(read_progress(answer("1", 1, "a", 0, 0).as_bytes()), None);
}

#[test]
fn an_event_of_a_stream_says_which_one_it_is_in_either_era() {
    for bytes in [told(Era::Legacy, 4, 2, "echo-1"), told(Era::Modern, 4, 2, "echo-1"), closed(4, "echo-1", 2)] {
        let read = read_told(bytes.as_bytes()).unwrap();
        assert_eq!((read.stream, read.step, read.replica.as_ref()), (4, 2, "echo-1"), "{bytes}");
    }
}

#[test]
fn an_event_under_another_subscription_is_none() {
    let bytes = told(Era::Modern, 4, 2, "echo-1").replace("Id\":4", "Id\":5");
    assert_eq!(read_told(bytes.as_bytes()), None);
    assert!(is_acknowledged(acknowledged(4).as_bytes(), 4));
    assert!(!is_acknowledged(acknowledged(5).as_bytes(), 4));
    assert_eq!(read_told(acknowledged(4).as_bytes()), None);
}
