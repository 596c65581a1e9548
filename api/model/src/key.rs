//! Keys that operators name: values of a call that say which replica holds the state behind them.
//!
//! In: names and paths as operators write them. Out: a [`KeySource`], and the [`SessionPolicy`] of a route.
//! Never here: the keys of the protocol itself (session ids, task ids, request states); every call that carries one follows it.
//! Invariant: a path has at least one part, and no part is empty.

use std::fmt;

use crate::field::is_token;

/// Most keys of one route.
pub const KEYS_MAX: usize = 4;
/// Longest name, and longest part of a path, in bytes.
pub const KEY_NAME_BYTES_MAX: usize = 128;
/// Most parts of a path.
pub const KEY_PATH_MAX: usize = 4;
/// Most tools that one key is limited to.
pub const KEY_TOOLS_MAX: usize = 256;

/// The kinds of keys that the protocol itself has, in the order in which they decide, before those of operators.
pub const KINDS_OF_PROTOCOL: [&str; 3] = ["session", "task", "state"];

/// Where in a call a key stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeySource {
    /// A header of the request, in lower case.
    Header(String),
    /// `Mcp-Param-<name>` of a call of revision 2026-07-28 or later; the name is in lower case.
    Param(String),
    /// A cookie of the request; names of cookies are case-sensitive (RFC 6265 section 4.1.1).
    Cookie(String),
    /// A string or a number in the arguments of `tools/call`.
    Argument(ArgumentKey),
}

/// A place under `params.arguments`, and the tools that it is a key of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArgumentKey {
    path: Vec<String>,
    /// Sorted; empty means all.
    tools: Vec<String>,
}

/// What becomes of a session whose replica is gone for good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum OnLoss {
    /// Its next call is answered 404, and its client opens another one.
    #[default]
    NotFound,
    /// It is opened again on another replica, with what it was opened with. Only for servers whose sessions hold nothing worth keeping.
    Reestablish,
}

/// How sessions and keys of one route are treated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SessionPolicy {
    /// In the order in which they decide; at most [`KEYS_MAX`].
    pub keys: Vec<KeySource>,
    pub on_loss: OnLoss,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    #[error(
        "{what} `{text}` is empty, longer than {KEY_NAME_BYTES_MAX} bytes, or holds characters that it cannot have"
    )]
    Name { what: &'static str, text: String },
    #[error("path `{0}` is not 1 to {KEY_PATH_MAX} names with dots between them, such as session_id or cart.id")]
    Path(String),
    #[error("{0} tools are more than {KEY_TOOLS_MAX}")]
    Tools(usize),
}

impl KeySource {
    pub fn header(name: &str) -> Result<Self, BadKey> {
        token("header", name).map(|name| Self::Header(name.to_ascii_lowercase()))
    }

    pub fn param(name: &str) -> Result<Self, BadKey> {
        token("param", name).map(|name| Self::Param(name.to_ascii_lowercase()))
    }

    pub fn cookie(name: &str) -> Result<Self, BadKey> {
        token("cookie", name).map(|name| Self::Cookie(name.to_owned()))
    }
}

impl ArgumentKey {
    /// `path` is written with dots: `session_id`, `cart.id`.
    pub fn new(path: &str, mut tools: Vec<String>) -> Result<Self, BadKey> {
        let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
        let fits = |part: &String| (1..=KEY_NAME_BYTES_MAX).contains(&part.len());
        if parts.len() > KEY_PATH_MAX || !parts.iter().all(fits) {
            return Err(BadKey::Path(path.chars().take(KEY_NAME_BYTES_MAX).collect()));
        }
        if tools.len() > KEY_TOOLS_MAX {
            return Err(BadKey::Tools(tools.len()));
        }
        tools.sort();
        tools.dedup();
        Ok(Self { path: parts, tools })
    }

    pub fn path(&self) -> &[String] {
        &self.path
    }

    /// Sorted; empty means all.
    pub fn tools(&self) -> &[String] {
        &self.tools
    }

    pub fn is_of(&self, tool: &str) -> bool {
        self.tools.is_empty() || self.tools.binary_search_by(|known| known.as_str().cmp(tool)).is_ok()
    }
}

impl OnLoss {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "404",
            Self::Reestablish => "reestablish",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::NotFound, Self::Reestablish].into_iter().find(|policy| policy.as_str() == text)
    }
}

impl fmt::Display for KeySource {
    /// As `header x-cart`, `argument session_id (tools add, pay)`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(out, "header {name}"),
            Self::Param(name) => write!(out, "param {name}"),
            Self::Cookie(name) => write!(out, "cookie {name}"),
            Self::Argument(key) => {
                write!(out, "argument {}", key.path.join("."))?;
                if key.tools.is_empty() { Ok(()) } else { write!(out, " (tools {})", key.tools.join(", ")) }
            }
        }
    }
}

/// A name of RFC 9110 section 5.6.2.
fn token<'a>(what: &'static str, text: &'a str) -> Result<&'a str, BadKey> {
    if text.len() <= KEY_NAME_BYTES_MAX && is_token(text) {
        return Ok(text);
    }
    Err(BadKey::Name { what, text: text.chars().take(KEY_NAME_BYTES_MAX).collect() })
}

#[cfg(test)]
mod tests;
