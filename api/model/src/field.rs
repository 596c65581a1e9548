//! What may stand in the header fields of HTTP.
//!
//! Never here: how long they may be; each user has a bound of its own.

/// Whether it is a token (RFC 9110 section 5.6.2), as names of fields are.
pub fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

/// Whether it can be the value of a field (RFC 9110 section 5.5).
pub fn is_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}
