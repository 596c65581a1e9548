//! Event streams: where events end is the same in any pieces, and the same as a reader finds that has all lines before it.

use outrigger_proxy_core::mcp::sse::Scanner;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use crate::damage::{config, damaged, files, pieces};

fn streams() -> Vec<Vec<u8>> {
    let behind = |message: &Vec<u8>| {
        message.windows(4).position(|four| four == b"\r\n\r\n").map(|at| message[at + 4..].to_vec())
    };
    files(&["good/stream"]).iter().filter_map(behind).collect()
}

/// Whether no event is open at the end of these bytes: splits them into lines as WHATWG HTML says, then looks at each.
fn is_between(bytes: &[u8]) -> bool {
    let (mut lines, mut at) = (vec![Vec::new()], 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\r' | b'\n' => {
                at += usize::from(bytes[at..].starts_with(b"\r\n"));
                lines.push(Vec::new());
            }
            byte => lines.last_mut().unwrap().push(byte),
        }
        at += 1;
    }
    let unfinished = lines.pop().unwrap_or_default();
    let mut open = false;
    for line in lines {
        open = match line.first() {
            None => false,
            Some(b':') => open,
            Some(_) => true,
        };
    }
    !open && unfinished.is_empty()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn events_end_at_empty_lines_however_they_come((bytes, cuts) in damaged(streams())) {
        let mut scanner = Scanner::default();
        let mut came = Vec::new();
        for piece in pieces(&bytes, &cuts) {
            scanner.feed(piece);
            came.extend_from_slice(piece);
            prop_assert_eq!(scanner.is_between(), is_between(&came), "{}", came.escape_ascii());
        }
        // A boundary is a place between two events, and the first one.
        let mut scanner = Scanner::default();
        scanner.feed(b"data: begun\n");
        let taken = scanner.feed_to_boundary(&bytes);
        prop_assert!(taken <= bytes.len() && (taken == bytes.len() || scanner.is_between()));
        let so_far = [b"data: begun\n", &bytes[..taken]].concat();
        prop_assert_eq!(scanner.is_between(), is_between(&so_far));
    }
}
