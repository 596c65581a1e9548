//! JSON-RPC messages of a client, and what an answer says.
//!
//! Source: MCP 2025-11-25 `basic/lifecycle`; MCP 2026-07-28 `basic` (the `_meta` fields of every request).

use serde_json::{Map, Value, json};

/// The revision that is offered first: most servers and every proxy know it.
pub const LEGACY: &str = "2025-11-25";
/// The revision for servers that know no `initialize` any more.
pub const MODERN: &str = "2026-07-28";

/// What a server said no with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError {
    pub code: i64,
    pub message: String,
    /// Why a proxy of the mesh refused, if it was one.
    pub reason: Option<String>,
    pub detail: Option<String>,
    pub hint: Option<String>,
}

pub fn initialize(id: u64) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "initialize",
        "params": {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client_info()}})
}

pub fn initialized() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
}

/// A request; with `modern`, it says of itself what `initialize` said before.
pub fn request(id: u64, method: &str, mut params: Map<String, Value>, modern: bool) -> Value {
    let mut meta = Map::new();
    meta.insert("progressToken".to_owned(), id.into());
    if modern {
        meta.insert("io.modelcontextprotocol/protocolVersion".to_owned(), MODERN.into());
        meta.insert("io.modelcontextprotocol/clientInfo".to_owned(), client_info());
        meta.insert("io.modelcontextprotocol/clientCapabilities".to_owned(), json!({}));
    }
    params.insert("_meta".to_owned(), Value::Object(meta));
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

/// The result or error of a message, if it answers request `id` or, being an error, no request in particular.
pub fn answer(message: &Value, id: u64) -> Option<Result<Value, RpcError>> {
    let ours = message.get("id").and_then(Value::as_u64) == Some(id);
    if let (true, Some(result)) = (ours, message.get("result")) {
        return Some(Ok(result.clone()));
    }
    let unnamed = message.get("id").is_none_or(Value::is_null);
    let error = message.get("error").filter(|_| ours || unnamed)?;
    Some(Err(RpcError::read(error)))
}

fn client_info() -> Value {
    json!({"name": "outrigger-call", "version": env!("CARGO_PKG_VERSION")})
}

impl RpcError {
    fn read(error: &Value) -> Self {
        let data = error.get("data");
        let text = |name: &str| data.and_then(|data| data.get(name)).and_then(Value::as_str).map(str::to_owned);
        Self {
            code: error.get("code").and_then(Value::as_i64).unwrap_or_default(),
            message: error.get("message").and_then(Value::as_str).unwrap_or("no message").to_owned(),
            reason: text("reason"),
            detail: text("detail"),
            hint: text("hint"),
        }
    }
}

#[cfg(test)]
mod tests;
