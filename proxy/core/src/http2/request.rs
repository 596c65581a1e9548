//! A stream's request as the head of an HTTP/1.1 request.
//!
//! In: the decoded head, and whether a body follows. Out: the bytes of a head, or why the stream is in error.
//! Invariant: what comes out has one reading: one `Host`, one framing, no field of a connection, no byte that ends a line early.
//! Source: RFC 9113 sections 8.2, 8.3 and 10.3.

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};

/// Why a request cannot be told in HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    #[error("the authority is missing, or differs from the field `host`")]
    Authority,
    #[error("the path is missing or is no path")]
    Path,
    #[error("a field belongs to one connection")]
    ConnectionField,
    #[error("a field breaks the line")]
    Text,
    #[error("the length of the body is no length, or not that of the body")]
    Length,
    /// Tunnels are opened with HTTP/1.1.
    #[error("the method is CONNECT")]
    Connect,
}

/// How the body goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyAs {
    None,
    /// As it is; its length is in the head.
    Length(u64),
    Chunks,
}

/// The head as it goes on, and how its body does. `ends` is whether the stream has no body.
pub fn head(parts: &Parts, ends: bool) -> Result<(Vec<u8>, BodyAs), BadRequest> {
    if parts.method == Method::CONNECT {
        return Err(BadRequest::Connect);
    }
    let host = host(parts)?;
    let path = parts.uri.path_and_query().map(http::uri::PathAndQuery::as_str).ok_or(BadRequest::Path)?;
    let is_path = path.starts_with('/') || path == "*" && parts.method == Method::OPTIONS;
    if !is_path || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BadRequest::Path);
    }
    let body = body(&parts.headers, ends)?;
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(parts.method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(path.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    line(&mut out, b"host", host)?;
    for (name, value) in &parts.headers {
        match name {
            &header::CONNECTION | &header::TRANSFER_ENCODING | &header::UPGRADE => {
                return Err(BadRequest::ConnectionField);
            }
            &header::TE if !value.as_bytes().eq_ignore_ascii_case(b"trailers") => {
                return Err(BadRequest::ConnectionField);
            }
            // Trailers are not passed on; the host stands above, cookies below.
            &header::TE | &header::HOST | &header::COOKIE => {}
            name if matches!(name.as_str(), "keep-alive" | "proxy-connection") => {
                return Err(BadRequest::ConnectionField);
            }
            name => line(&mut out, name.as_str().as_bytes(), value.as_bytes())?,
        }
    }
    cookies(&parts.headers, &mut out)?;
    if body == BodyAs::Chunks {
        line(&mut out, b"transfer-encoding", b"chunked")?;
    }
    out.extend_from_slice(b"\r\n");
    Ok((out, body))
}

fn host(parts: &Parts) -> Result<&[u8], BadRequest> {
    let mut fields = parts.headers.get_all(header::HOST).iter().map(HeaderValue::as_bytes);
    let (field, more) = (fields.next(), fields.next());
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    match (authority, field) {
        _ if more.is_some() => Err(BadRequest::Authority),
        (Some(authority), Some(field)) if !authority.eq_ignore_ascii_case(field) => Err(BadRequest::Authority),
        (Some(host), _) | (None, Some(host)) => Ok(host),
        (None, None) => Err(BadRequest::Authority),
    }
}

fn body(fields: &HeaderMap, ends: bool) -> Result<BodyAs, BadRequest> {
    let mut lengths = fields.get_all(header::CONTENT_LENGTH).iter();
    let (length, more) = (lengths.next(), lengths.next());
    if more.is_some() {
        return Err(BadRequest::Length);
    }
    let Some(length) = length else { return Ok(if ends { BodyAs::None } else { BodyAs::Chunks }) };
    let digits = length.to_str().ok().filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    let length = digits.and_then(|text| text.parse().ok()).ok_or(BadRequest::Length)?;
    match (length, ends) {
        (0, true) => Ok(BodyAs::None),
        (_, true) => Err(BadRequest::Length),
        (length, false) => Ok(BodyAs::Length(length)),
    }
}

/// One field for HTTP/1.1, however many they were (RFC 9113 section 8.2.3).
fn cookies(fields: &HeaderMap, out: &mut Vec<u8>) -> Result<(), BadRequest> {
    let all: Vec<&[u8]> = fields.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if all.is_empty() { Ok(()) } else { line(out, b"cookie", &all.join(&b"; "[..])) }
}

fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Result<(), BadRequest> {
    if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Err(BadRequest::Text);
    }
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

#[cfg(test)]
mod tests;
