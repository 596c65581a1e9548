//! The JSON-RPC error that carries a refusal.
//!
//! In: a [`Refusal`], the caller's era and id, the serial of the world. Out: the bytes of the body.
//! Source: 2026-07-28 `schema.ts`: an error's `id` is a string or a number or left out, never null; JSON-RPC 2.0 and the
//! legacy revisions: `null` where the id is not known.

use outrigger_model::resource::Serial;
use outrigger_model::revision::Era;

use crate::mcp::envelope::RawId;
use crate::refusal::Refusal;

/// `application/json`, the type of every body made here.
pub const CONTENT_TYPE: &str = "application/json";

/// Writes the error body. `serial` is none before the first snapshot.
pub fn body(refusal: &Refusal, era: Option<Era>, id: Option<RawId<'_>>, serial: Option<Serial>) -> Vec<u8> {
    let shape = refusal.shape(era);
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(br#"{"jsonrpc":"2.0","#);
    match (id, era) {
        (Some(id), _) => {
            out.extend_from_slice(br#""id":"#);
            out.extend_from_slice(id.as_bytes());
            out.push(b',');
        }
        (None, Some(Era::Modern)) => {}
        (None, _) => out.extend_from_slice(br#""id":null,"#),
    }
    out.extend_from_slice(br#""error":{"code":"#);
    out.extend_from_slice(shape.rpc.to_string().as_bytes());
    out.extend_from_slice(br#","message":"#);
    let detail = refusal.detail();
    string(&mut out, &detail);
    out.extend_from_slice(br#","data":{"reason":"#);
    string(&mut out, shape.label);
    out.extend_from_slice(br#","detail":"#);
    string(&mut out, &detail);
    out.extend_from_slice(br#","hint":"#);
    string(&mut out, &refusal.hint());
    if let Some(limit) = refusal.limit() {
        out.extend_from_slice(br#","limit":"#);
        string(&mut out, limit);
    }
    if let Some(Serial(serial)) = serial {
        out.extend_from_slice(br#","serial":"#);
        out.extend_from_slice(serial.to_string().as_bytes());
    }
    if shape.may_have_run {
        out.extend_from_slice(br#","may_have_run":true"#);
    }
    out.extend_from_slice(b"}}}");
    out
}

/// A JSON string, RFC 8259 section 7.
fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(br#"\""#),
            b'\\' => out.extend_from_slice(br"\\"),
            b'\n' => out.extend_from_slice(br"\n"),
            b'\r' => out.extend_from_slice(br"\r"),
            b'\t' => out.extend_from_slice(br"\t"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests;
