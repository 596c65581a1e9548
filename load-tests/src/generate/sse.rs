//! Takes events out of the bytes of a stream.

use bytes::{Bytes, BytesMut};

/// Takes the data of the next whole event that has any.
pub fn next_event(lines: &mut BytesMut) -> Option<Bytes> {
    loop {
        let end = lines.windows(2).position(|pair| pair == b"\n\n")?;
        let event = lines.split_to(end + 2).freeze();
        let data = event.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"data: "));
        if let Some(data) = data {
            return Some(event.slice_ref(data));
        }
    }
}

#[cfg(test)]
mod tests;
