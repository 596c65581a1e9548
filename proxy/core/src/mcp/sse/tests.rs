use proptest::prelude::{any, prop_assert_eq, proptest};

use super::Scanner;

fn is_between(pieces: &[&[u8]]) -> bool {
    let mut scanner = Scanner::default();
    for piece in pieces {
        scanner.feed(piece);
    }
    scanner.is_between()
}

/// "Blank lines … dispatch the event"; "lines must be separated by either a U+000D CARRIAGE RETURN U+000A LINE FEED character
/// pair, a single U+000A LINE FEED character, or a single U+000D CARRIAGE RETURN character" (WHATWG HTML, event streams).
#[test]
fn a_stream_is_between_events_after_an_empty_line() {
    let check = |text: &str, expected| assert_eq!(is_between(&[text.as_bytes()]), expected, "{text:?}");
    check("", true);
    check("data: a", false);
    check("data: a\n", false);
    check("data: a\n\n", true);
    check("data: a\r\n", false);
    check("data: a\r\n\r\n", true);
    check("data: a\r", false);
    check("data: a\r\r", true);
    check("data: a\r\n\r", true);
    check("data: a\n\r", true);
    check("data: a\n\ndata: b\n", false);
    check("data: a\n\ndata: b\n\n", true);
    check("\n\n\n", true);
}

#[test]
fn an_event_without_data_is_one_too() {
    let check = |text: &str, expected| assert_eq!(is_between(&[text.as_bytes()]), expected, "{text:?}");
    check("id: 7\n", false);
    check("id: 7\ndata:\n", false);
    check("id: 7\ndata:\n\n", true);
    check("retry: 500\r\n", false);
    check("retry: 500\r\n\r\n", true);
}

/// "Lines that start with a U+003A COLON character (:)" are comments, and are ignored (WHATWG HTML, event streams).
#[test]
fn a_comment_begins_no_event_and_ends_none() {
    let check = |text: &str, expected| assert_eq!(is_between(&[text.as_bytes()]), expected, "{text:?}");
    check(":", false);
    check(": ping", false);
    check(": ping\n", true);
    check(": ping\r\n: pong\r\n", true);
    check("data: a\n: ping\n", false);
    check("data: a\n: ping\n\n", true);
}

#[test]
fn what_is_taken_up_to_a_boundary_ends_there() {
    let check = |before: &str, bytes: &str, expected: usize| {
        let mut scanner = Scanner::default();
        scanner.feed(before.as_bytes());
        assert_eq!(scanner.feed_to_boundary(bytes.as_bytes()), expected, "{before:?} {bytes:?}");
        assert_eq!(scanner.is_between(), expected < bytes.len() || bytes.ends_with("\n\n"), "{before:?} {bytes:?}");
    };
    check("", "data: b\n\n", 0);
    check("data: a\n", "\ndata: b\n\n", 1);
    check("data: a", "\r\n\r\ndata: b\n\n", 4);
    check("data: a\r\n\r", "\ndata: b\n\n", 1);
    check("data: a", "\n\n", 2);
    check("data: a", "bc", 2);
    check(": pi", "ng\ndata: b\n\n", 3);
}

/// The same, asked of the whole text at once: split into lines, and looked at from the last empty one.
fn model(text: &[u8]) -> bool {
    let unified = String::from_utf8_lossy(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = unified.split('\n').collect();
    let unfinished = lines.pop().unwrap_or_default();
    let begun = lines.iter().rev().take_while(|line| !line.is_empty()).any(|line| !line.starts_with(':'));
    unfinished.is_empty() && !begun
}

proptest! {
    #[test]
    fn pieces_change_nothing(letters in proptest::collection::vec(0..5_usize, 0..40), cut in any::<u16>()) {
        let text: Vec<u8> = letters.iter().map(|letter| b"\r\n:ax"[*letter]).collect();
        let cut = usize::from(cut) % (text.len() + 1);
        prop_assert_eq!(is_between(&[&text]), model(&text));
        prop_assert_eq!(is_between(&[&text[..cut], &text[cut..]]), model(&text));
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        prop_assert_eq!(is_between(&bytes), model(&text));
        let mut scanner = Scanner::default();
        let mut rest: &[u8] = &text;
        while !rest.is_empty() {
            let taken = scanner.feed_to_boundary(rest);
            prop_assert_eq!(scanner.is_between(), model(&text[..text.len() - rest.len() + taken]));
            rest = &rest[taken..];
            if let Some((first, others)) = rest.split_first() {
                scanner.feed(&[*first]);
                rest = others;
            }
        }
    }
}
