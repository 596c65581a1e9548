use super::{Frames, PREFACE, Type};

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags, 0, 0, 0, 1];
    bytes.extend_from_slice(payload);
    bytes
}

#[test]
fn frames_are_seen_once_in_whatever_pieces_they_come() {
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(4, 0, b""));
    bytes.extend(frame(1, 1, &[7; 300]));
    bytes.extend(frame(6, 1, &[0; 8]));
    bytes.extend(frame(0, 0, b"four"));
    bytes.extend(frame(200, 0, b"x"));
    let expected = [
        (Type::Settings, 0),
        (Type::Headers { ends: true }, 300),
        (Type::Acknowledgement, 8),
        (Type::Data { ends: false }, 4),
        (Type::Other, 1),
    ];
    for size in [1, 2, 3, 8, 9, 10, 24, 33, 100, bytes.len()] {
        let (mut frames, mut seen) = (Frames::of_caller(), Vec::new());
        for piece in bytes.chunks(size) {
            frames.pass(piece, |frame| seen.push((frame.kind(), frame.length)));
        }
        assert_eq!(seen, expected, "in pieces of {size}");
    }
}
