//! Heads: the same in any pieces, and what passes the gate can be read in one way only.

use outrigger_proxy_core::gate::{self, Hosts, Rules};
use outrigger_proxy_core::http1::field::Name;
use outrigger_proxy_core::http1::head::{RequestHead, ResponseHead};
use outrigger_proxy_core::mcp::headers::McpHeaders;
use outrigger_proxy_core::refusal::Refusal;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use proptest::test_runner::TestCaseError;

use crate::damage::{config, damaged, files, pieces};

/// The first head in these bytes, as a connection would take it.
fn taken(pieces: &[&[u8]]) -> (Result<Option<RequestHead>, Refusal>, Vec<u8>) {
    let (mut inbox, mut seen) = (Vec::new(), 0);
    for (at, piece) in pieces.iter().enumerate() {
        inbox.extend_from_slice(piece);
        if inbox.len() <= seen {
            continue;
        }
        match RequestHead::take(&mut inbox, seen) {
            Ok(None) => seen = inbox.len(),
            other => {
                let rest = pieces[at + 1..].iter().flat_map(|piece| piece.iter().copied());
                inbox.extend(rest);
                return (other, inbox);
            }
        }
    }
    (Ok(None), inbox)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_head_is_the_same_in_any_pieces_and_plain_if_it_passes((bytes, cuts) in damaged(files(&["bad/http", "good/"]))) {
        // Empty lines in front are forgiven one by one, as they come.
        if !bytes.starts_with(b"\r") {
            let (whole, rest) = taken(&[&bytes]);
            let (pieced, pieced_rest) = taken(&pieces(&bytes, &cuts));
            prop_assert_eq!(whole.is_err(), pieced.is_err());
            if let (Ok(Some(whole)), Ok(Some(pieced))) = (&whole, &pieced) {
                prop_assert_eq!(whole, pieced);
                prop_assert_eq!(rest, pieced_rest);
            }
            if let Ok(Some(head)) = &whole {
                is_plain(head, &bytes)?;
            }
        }
        // An answer that is damaged is none or one; it never ends anything but its connection.
        let mut answer = bytes.clone();
        if let Ok(Some(head)) = ResponseHead::take(&mut answer) {
            prop_assert_eq!(head.size() + answer.len(), bytes.len());
        }
    }
}

fn is_plain(head: &RequestHead, bytes: &[u8]) -> Result<(), TestCaseError> {
    let rules = Rules { hosts: Some(Hosts::default()), headers_max: 100, header_bytes_max: 65_536 };
    // Never panics, whatever it says.
    let _ = McpHeaders::read(&head.fields);
    let Ok(framing) = gate::check(head, &rules) else { return Ok(()) };
    prop_assert_eq!(gate::check(head, &rules), Ok(framing), "the same head is the same twice");
    let text = &bytes[..head.size()];
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    prop_assert_eq!(
        text.windows(2).filter(|two| two == b"\r\n").count(),
        lines,
        "a line ends in something else than CRLF"
    );
    prop_assert_eq!(text.iter().filter(|byte| **byte == b'\r').count(), lines, "a bare CR");
    prop_assert_eq!(head.fields.count() + 2, lines, "a line is no field");
    prop_assert_eq!(head.fields.all(Name::Host).count(), 1);
    prop_assert!(head.fields.all(Name::ContentLength).count() + head.fields.all(Name::TransferEncoding).count() <= 1);
    prop_assert!(!text.contains(&0), "NUL");
    prop_assert!(head.path().is_ascii() && head.query().unwrap_or_default().is_ascii());
    for (_, name, value) in head.fields.iter() {
        prop_assert!(!name.is_empty() && name.iter().all(|byte| byte.is_ascii_graphic() && *byte != b':'));
        prop_assert!(value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f)));
    }
    Ok(())
}
