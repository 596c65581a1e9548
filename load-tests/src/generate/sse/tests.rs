use super::*;

#[test]
fn events_are_taken_whole_and_comments_are_passed_over() {
    let mut lines = BytesMut::from(&b": open\n\nevent: message\ndata: one\n\ndata: tw"[..]);
    assert_eq!(next_event(&mut lines).unwrap(), "one");
    assert_eq!(next_event(&mut lines), None);
    lines.extend_from_slice(b"o\n\n");
    assert_eq!(next_event(&mut lines).unwrap(), "two");
}
