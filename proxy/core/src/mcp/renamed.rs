//! The call of a tool under another name.
//!
//! In: a whole body, the name. Out: the same body with that name in place of the one in it, byte for byte otherwise; or that nothing
//! has to change.
//! Never here: bodies that are no calls of a tool, which stay as they are.

use crate::mcp::envelope::Envelope;
use crate::mcp::method::Method;

/// What becomes of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renamed {
    /// It calls no tool, or calls it so already.
    Same,
    /// It has to be sent like this.
    To(Vec<u8>),
    /// It calls a tool by another name, and cannot be written with this one.
    Never,
}

/// Whether a name can stand in bodies and in `Mcp-Name` as it is.
pub fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

pub fn renamed(body: &[u8], to: &str) -> Renamed {
    let Ok(envelope) = Envelope::read(body) else { return Renamed::Same };
    let calls = envelope.is_request()
        && envelope.method().is_some_and(|method| Method::from_text(&method) == Method::ToolsCall);
    match (envelope.name(), envelope.name_at()) {
        (Some(name), Some(_)) if !calls || name == to => Renamed::Same,
        (Some(_), Some(at)) if is_plain(to) => {
            let (front, behind) = (body.get(..at.start).unwrap_or_default(), body.get(at.end..).unwrap_or_default());
            Renamed::To([front, b"\"", to.as_bytes(), b"\"", behind].concat())
        }
        (Some(_), Some(_)) => Renamed::Never,
        _ => Renamed::Same,
    }
}

#[cfg(test)]
mod tests;
