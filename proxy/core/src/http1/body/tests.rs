use proptest::prelude::{any, prop_assert_eq, proptest};

use super::{BadChunk, Body, Framing};
use crate::http1::written::{answer, fields};
use crate::refusal::Malformed;

/// RFC 9112 section 6.3: "a message with both … ought to be handled as an error".
#[test]
fn a_request_has_one_length_and_one_meaning() {
    use Malformed::{Encoding, Length, LengthAndEncoding};
    for (lines, expected) in [
        (&[][..], Ok(Framing::Empty)),
        (&[("content-length", "12")], Ok(Framing::Length(12))),
        (&[("content-length", "0")], Ok(Framing::Empty)),
        (&[("transfer-encoding", "chunked")], Ok(Framing::Chunked)),
        (&[("transfer-encoding", "Chunked")], Ok(Framing::Chunked)),
        (&[("content-length", "12"), ("transfer-encoding", "chunked")], Err(LengthAndEncoding)),
        (&[("content-length", "12"), ("content-length", "12")], Err(Length)),
        (&[("content-length", "12, 12")], Err(Length)),
        (&[("content-length", "+1")], Err(Length)),
        (&[("content-length", "")], Err(Length)),
        (&[("content-length", "99999999999999999999")], Err(Length)),
        (&[("transfer-encoding", "gzip, chunked")], Err(Encoding)),
        (&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], Err(Encoding)),
        (&[("transfer-encoding", "xchunked")], Err(Encoding)),
        (&[("transfer-encoding", "")], Err(Encoding)),
    ] {
        assert_eq!(Framing::of_request(&fields(lines), false), expected, "{lines:?}");
    }
    let chunked = fields(&[("transfer-encoding", "chunked")]);
    assert_eq!(Framing::of_request(&chunked, true), Err(Encoding), "HTTP/1.0 knows no chunks");
}

/// RFC 9112 section 6.3, cases 1 to 8.
#[test]
fn what_ends_an_answer_depends_on_the_question() {
    for (text, to_head, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5", false, Some(Framing::Length(5))),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5", true, Some(Framing::Empty)),
        ("HTTP/1.1 204 No Content", false, Some(Framing::Empty)),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5", false, Some(Framing::Empty)),
        ("HTTP/1.1 103 Early Hints", false, Some(Framing::Empty)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", false, Some(Framing::Chunked)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip", false, Some(Framing::UntilClose)),
        ("HTTP/1.1 200 OK", false, Some(Framing::UntilClose)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", false, None),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6", false, None),
        ("HTTP/1.1 200 OK\r\nContent-Length: x", false, None),
        ("HTTP/1.1 202 Accepted\r\nContent-Length: 0", false, Some(Framing::Empty)),
    ] {
        assert_eq!(Framing::of_answer(&answer(text), to_head), expected, "{text}");
    }
}

/// What was taken, what it carried, and whether that was all.
fn taken(framing: Framing, pieces: &[&[u8]]) -> Result<(usize, Vec<u8>, bool), BadChunk> {
    let mut body = Body::new(framing);
    let (mut bytes, mut payload) = (0, Vec::new());
    for piece in pieces {
        bytes += body.take_with(piece, |part| payload.extend_from_slice(part))?;
    }
    assert_eq!(body.payload(), payload.len() as u64);
    Ok((bytes, payload, body.is_done()))
}

#[test]
fn a_body_ends_where_its_framing_says() {
    let chunks = b"4\r\nwiki\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: a\r\nMore: b\r\n\r\n";
    for (framing, bytes, expected) in [
        (Framing::Empty, &b"next"[..], (0, &b""[..], true)),
        (Framing::Length(3), b"abcnext", (3, b"abc", true)),
        (Framing::Length(9), b"abc", (3, b"abc", false)),
        (Framing::UntilClose, b"abc", (3, b"abc", false)),
        (Framing::Chunked, b"0\r\n\r\nnext", (5, b"", true)),
        (Framing::Chunked, b"3\r\nabc\r\n", (8, b"abc", false)),
        (Framing::Chunked, chunks, (chunks.len(), b"wiki0123456789", true)),
    ] {
        let (taken, payload, done) = taken(framing, &[bytes]).unwrap();
        assert_eq!((taken, payload.as_slice(), done), expected, "{framing:?}");
    }
}

#[test]
fn chunks_that_two_servers_could_read_differently_are_refused() {
    for bytes in [
        &b"\r\n"[..],
        b"x\r\n",
        b"-1\r\n",
        b"0x3\r\nabc\r\n",
        b"3\nabc\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\n",
        b"3;a\nb\r\n",
        b"3;a\0\r\n",
        b"1000000000000000\r\n",
        b"0\r\nTrailer: a\n\r\n",
        b"0\r\nTrailer: a\rb\r\n",
        b"0\r\n\rx",
    ] {
        assert_eq!(taken(Framing::Chunked, &[bytes]), Err(BadChunk), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn lines_between_chunks_have_bounds() {
    let endless = [b"3;".to_vec(), vec![b'a'; 5_000]].concat();
    assert_eq!(taken(Framing::Chunked, &[&endless]), Err(BadChunk));
    let trailers = [b"0\r\n".to_vec(), b"a: b\r\n".repeat(5_000)].concat();
    assert_eq!(taken(Framing::Chunked, &[&trailers]), Err(BadChunk));
}

proptest! {
    /// However the network cuts a body, its end and its payload are the same.
    #[test]
    fn chunks_are_found_however_they_are_cut(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6), cuts in proptest::collection::vec(0usize..200, 0..5)) {
        let mut bytes = Vec::new();
        for part in &parts {
            bytes.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
            bytes.extend_from_slice(part);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        let length = bytes.len();
        bytes.extend_from_slice(b"NEXT");
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut % length).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&bytes[from..cut]);
            from = cut;
        }
        pieces.push(&bytes[from..]);
        prop_assert_eq!(taken(Framing::Chunked, &pieces), Ok((length, parts.concat(), true)));
    }
}

#[test]
fn blanks_behind_a_size_are_followed_by_an_extension_or_nothing_passes() {
    for (line, passes) in
        [("1;a", true), ("1 ;a", true), ("1\t;a", true), ("1 ", false), ("1 2", false), ("1 a=b", false)]
    {
        let text = format!("{line}\r\nx\r\n0\r\n\r\n");
        assert_eq!(taken(Framing::Chunked, &[text.as_bytes()]).is_ok(), passes, "{line:?}");
    }
}

/// RFC 9110 section 6.5.1: fields of framing, routing and authentication are no trailers.
#[test]
fn trailers_are_fields_that_decide_nothing() {
    for (line, passes) in [
        ("X-Checksum: a b", true),
        ("x-empty:", true),
        ("X-A-Name-That-Is-Longer-Than-Any-We-Know: 1", true),
        ("No-Colon", false),
        (": no name", false),
        (" folded: a", false),
        ("X Space: a", false),
        ("X-Space : a", false),
        ("Content-Length: 5", false),
        ("transfer-encoding: chunked", false),
        ("MCP-Protocol-Version: 2025-11-25", false),
        ("Mcp-Session-Id: a", false),
        ("Outrigger-Caller-That-Is-Longer-Than-Any: a", false),
        ("Content_Length: 5", false),
    ] {
        let text = format!("1\r\nx\r\n0\r\n{line}\r\nX-Last: 1\r\n\r\n");
        let whole = taken(Framing::Chunked, &[text.as_bytes()]);
        assert_eq!(whole.is_ok(), passes, "{line:?}");
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(taken(Framing::Chunked, &bytes), whole, "{line:?} byte by byte");
    }
}
