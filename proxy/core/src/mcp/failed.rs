//! Whether the answer to a call of a tool says that its server failed, although its status does not.
//!
//! In: a whole answer in JSON. Out: yes or no; a cheap look, that may miss what is spelled unusually.
//! Source: JSON-RPC 2.0 section 5.1 (-32603 is an internal error) and what MCP SDKs say of a connection that closed (-32000). Errors about
//! what was asked (parameters, unknown tools) are the caller's, and `isError` is an answer of the tool, which counts only where operators say so.

use memchr::memmem::find;

/// Larger answers are not looked at: who has that much to say has not failed.
pub const LOOKED_AT_BYTES_MAX: usize = 2_048;

const CODES: [&[u8]; 2] = [b"-32603", b"-32000"];

pub fn says_failed(body: &[u8], tool_errors: bool) -> bool {
    if body.len() > LOOKED_AT_BYTES_MAX {
        return false;
    }
    if tool_errors && (find(body, b"\"isError\":true").is_some() || find(body, b"\"isError\": true").is_some()) {
        return true;
    }
    let Some(error) = find(body, b"\"error\"").and_then(|at| body.get(at..)) else { return false };
    let code = find(error, b"\"code\"").and_then(|at| error.get(at + 6..));
    let code = code.map(|rest| rest.trim_ascii_start().strip_prefix(b":").unwrap_or(rest).trim_ascii_start());
    code.is_some_and(|code| CODES.iter().any(|known| code.starts_with(known)))
}

#[cfg(test)]
mod tests;
