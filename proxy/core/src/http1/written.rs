//! Heads as tests write them.
//!
//! Never here: anything but tests.

use crate::http1::field::Fields;
use crate::http1::head::{RequestHead, ResponseHead};

/// `POST target HTTP/1.1` with these fields and no other.
pub fn request<N: AsRef<str>, V: AsRef<str>>(target: &str, lines: &[(N, V)]) -> RequestHead {
    let mut text = format!("POST {target} HTTP/1.1\r\n");
    for (name, value) in lines {
        text.push_str(&format!("{}: {}\r\n", name.as_ref(), value.as_ref()));
    }
    text.push_str("\r\n");
    RequestHead::parse(text.into_bytes()).unwrap()
}

pub fn fields<N: AsRef<str>, V: AsRef<str>>(lines: &[(N, V)]) -> Fields {
    request("/", lines).fields
}

/// An answer from its text, without the empty line at its end.
pub fn answer(text: &str) -> ResponseHead {
    ResponseHead::take(&mut format!("{text}\r\n\r\n").into_bytes()).unwrap().unwrap()
}
