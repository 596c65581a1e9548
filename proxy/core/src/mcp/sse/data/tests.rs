use super::{Data, Piece};

fn said(stream: &str, piece: usize) -> Vec<String> {
    let (mut data, mut events, mut event) = (Data::default(), Vec::new(), String::new());
    for part in stream.as_bytes().chunks(piece) {
        data.feed(part, |piece| match piece {
            Piece::Text(text) => event.push_str(std::str::from_utf8(text).unwrap()),
            Piece::End => events.push(std::mem::take(&mut event)),
        });
    }
    events
}

#[test]
fn the_text_of_each_event_is_told_whatever_the_lines_and_the_pieces_are() {
    for (stream, expected) in [
        ("data: a\n\n", vec!["a"]),
        ("data:a\r\n\r\ndata:  b\r\n\r\n", vec!["a", " b"]),
        ("event: message\rid: 7\rdata: a\rdata: b\r\r", vec!["a\nb"]),
        (": data: no\n\nevent: data\n\ndata: yes\n\n", vec!["yes"]),
        ("database: no\ndat: no\ndata\ndata: x\n\n", vec!["\nx"]),
        ("data: cut off", vec![]),
    ] {
        for piece in 1..=stream.len() {
            assert_eq!(said(stream, piece), expected, "{stream:?} in pieces of {piece}");
        }
    }
}
