//! Bodies in chunks: the same in any pieces, and taken only as a reader that follows the grammar to the letter takes them.

use outrigger_proxy_core::http1::body::{Body, Framing};
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use crate::damage::{config, damaged, files, pieces};

/// What stands behind the heads of requests in chunks.
fn bodies() -> Vec<Vec<u8>> {
    let behind = |message: &Vec<u8>| {
        let end = message.windows(4).position(|four| four == b"\r\n\r\n")?;
        let is_chunked = message[..end].windows(8).any(|eight| eight == b" chunked");
        is_chunked.then(|| message[end + 4..].to_vec())
    };
    files(&["bad/http/chunk", "bad/http/cut_short", "good/"]).iter().filter_map(behind).collect()
}

/// RFC 9112 section 7.1, read line by line. None if it is no whole body; else how long it is and what it carries.
fn by_the_letter(bytes: &[u8]) -> Option<(usize, Vec<u8>)> {
    let (mut at, mut payload) = (0, Vec::new());
    loop {
        let line = line(bytes, &mut at)?;
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let behind = line[digits..].trim_ascii_start();
        if !behind.is_empty() && behind[0] != b';' || behind.is_empty() && digits < line.len() {
            return None;
        }
        let size = usize::from_str_radix(std::str::from_utf8(&line[..digits]).ok()?, 16).ok()?;
        if size == 0 {
            break;
        }
        payload.extend_from_slice(bytes.get(at..at.checked_add(size)?)?);
        at += size;
        if bytes.get(at..at + 2)? != b"\r\n" {
            return None;
        }
        at += 2;
    }
    while !line(bytes, &mut at)?.is_empty() {}
    Some((at, payload))
}

fn line<'a>(bytes: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let rest = &bytes[*at..];
    let end = rest.windows(2).position(|two| two == b"\r\n")?;
    *at += end + 2;
    Some(&rest[..end])
}

fn taken(pieces: &[&[u8]]) -> Option<(usize, Vec<u8>, bool)> {
    let (mut body, mut bytes, mut payload) = (Body::new(Framing::Chunked), 0, Vec::new());
    for piece in pieces {
        bytes += body.take_with(piece, |part| payload.extend_from_slice(part)).ok()?;
    }
    Some((bytes, payload, body.is_done()))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn chunks_end_where_the_grammar_says((bytes, cuts) in damaged(bodies())) {
        let whole = taken(&[&bytes]);
        prop_assert_eq!(&taken(&pieces(&bytes, &cuts)), &whole, "pieces change what it is");
        if let Some((length, payload, true)) = whole {
            let letter = by_the_letter(&bytes);
            prop_assert!(letter.is_some(), "{} is taken", bytes.escape_ascii());
            prop_assert_eq!(letter, Some((length, payload)));
        }
    }
}
