//! One JSON-RPC message, taken apart no further than who it is for.
//!
//! In: bytes. Out: a [`Message`], and the bytes of one.
//! Source: JSON-RPC 2.0; 2026-07-28 `schema.ts`: an id is a string or a number, and an error may lack it.
//! Invariant: ids, parameters, results and errors are written as they came.

use outrigger_proxy_core::mcp::envelope::ID_BYTES_MAX;
use serde_json::value::RawValue;

use super::object::{Object, Raw, as_text, raw};

pub const INVALID_REQUEST: i32 = -32600;
pub const METHOD_NOT_FOUND: i32 = -32601;
pub const INVALID_PARAMS: i32 = -32602;
pub const INTERNAL_ERROR: i32 = -32603;
pub const PARSE_ERROR: i32 = -32700;
/// 2026-07-28 `basic/index`: what the headers say is not what the body says.
pub const HEADER_MISMATCH: i32 = -32020;
pub const UNSUPPORTED_VERSION: i32 = -32022;

/// A message.
#[derive(Debug, Clone)]
pub enum Message {
    Request { id: Raw, method: String, params: Option<Raw> },
    Notice { method: String, params: Option<Raw> },
    Answer { id: Option<Raw>, outcome: Outcome },
}

/// How a request ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    Result(Raw),
    Error(Raw),
}

impl Message {
    pub fn read(bytes: &[u8]) -> Option<Self> {
        Self::of(serde_json::from_slice(bytes).ok()?)
    }

    pub fn of(mut members: Object) -> Option<Self> {
        if members.text("jsonrpc")? != "2.0" {
            return None;
        }
        let id = members.remove("id").filter(|id| id.get() != "null");
        if id.as_ref().is_some_and(|id| !is_id(id)) {
            return None;
        }
        let Some(method) = members.get("method") else {
            let outcome = match (members.remove("result"), members.remove("error")) {
                (Some(result), None) => Outcome::Result(result),
                (None, Some(error)) => Outcome::Error(error),
                _ => return None,
            };
            return Some(Self::Answer { id, outcome });
        };
        let method = as_text(method)?;
        let params = members.remove("params");
        Some(match id {
            Some(id) => Self::Request { id, method, params },
            None => Self::Notice { method, params },
        })
    }

    pub fn write(&self) -> String {
        let mut out = Object::default().with("jsonrpc", &"2.0");
        match self {
            Self::Request { id, method, params } => {
                out.set("id", id.clone());
                out.set("method", raw(method));
                params.iter().for_each(|params| out.set("params", params.clone()));
            }
            Self::Notice { method, params } => {
                out.set("method", raw(method));
                params.iter().for_each(|params| out.set("params", params.clone()));
            }
            Self::Answer { id, outcome } => {
                id.iter().for_each(|id| out.set("id", id.clone()));
                match outcome {
                    Outcome::Result(result) => out.set("result", result.clone()),
                    Outcome::Error(error) => out.set("error", error.clone()),
                }
            }
        }
        out.raw().get().to_owned()
    }

    pub fn notice(method: &str, params: Option<Object>) -> Self {
        Self::Notice { method: method.to_owned(), params: params.map(|params| params.raw()) }
    }

    pub fn result(id: Raw, result: &Object) -> Self {
        Self::Answer { id: Some(id), outcome: Outcome::Result(result.raw()) }
    }

    pub fn error(id: Option<Raw>, code: i32, text: &str) -> Self {
        let error = Object::default().with("code", &code).with("message", &text);
        Self::Answer { id, outcome: Outcome::Error(error.raw()) }
    }
}

/// The code of an error, if it has one.
pub fn code_of(error: &RawValue) -> Option<i32> {
    serde_json::from_str(Object::read(error)?.get("code")?.get()).ok()
}

fn is_id(id: &RawValue) -> bool {
    let text = id.get();
    text.len() <= ID_BYTES_MAX && text.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
}

#[cfg(test)]
mod tests;
