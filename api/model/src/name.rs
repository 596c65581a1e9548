//! Names of things in the mesh: one type per kind, so that two kinds cannot be mixed up.
//!
//! In: text. Out: a name that is safe in a URL path segment, a SPIFFE path, a metric label and a file name.
//! Invariant: 1 to 128 bytes of `[A-Za-z0-9._-]`, starting with a letter or a digit.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Longest name, in bytes. MCP allows tool names of 128 characters (2025-11-25, server/tools).
pub const NAME_BYTES_MAX: usize = 128;

/// Why a text is not a name. Holds the text, cut to the limit, so that the message can show it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    #[error("{kind} name is empty")]
    Empty { kind: &'static str },
    #[error("{kind} name is longer than {NAME_BYTES_MAX} bytes")]
    Long { kind: &'static str },
    #[error("{kind} name `{text}` must start with a letter or digit and hold only letters, digits, `.`, `_` and `-`")]
    Characters { kind: &'static str, text: String },
}

fn parse(kind: &'static str, text: &str) -> Result<Arc<str>, BadName> {
    if text.is_empty() {
        return Err(BadName::Empty { kind });
    }
    if text.len() > NAME_BYTES_MAX {
        return Err(BadName::Long { kind });
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let starts_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !starts_well || !text.bytes().all(fits) {
        return Err(BadName::Characters { kind, text: text.to_owned() });
    }
    Ok(Arc::from(text))
}

// A macro because eight newtypes share one parser and six traits; a generic with marker types would show in every signature.
macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Parses a name; see the module for what it may hold.
            pub fn new(text: &str) -> Result<Self, BadName> {
                parse($kind, text).map(Self)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = BadName;
            fn from_str(text: &str) -> Result<Self, BadName> {
                Self::new(text)
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{:?}", &*self.0)
            }
        }
    };
}

name!(
    /// An agent: a program that offers tools; all its replicas share this name.
    AgentName, "agent"
);
name!(
    /// One running copy of an agent, unique in the mesh.
    ReplicaId, "replica"
);
name!(
    /// Something an agent offers, by the name under which others ask for it.
    CapabilityName, "capability"
);
name!(
    /// The first path segment that callers use: `/{route}/mcp`.
    RouteName, "route"
);
name!(
    /// A set of interchangeable endpoints.
    PoolName, "pool"
);
name!(
    /// What keeps teams apart: who asks in one namespace is offered nothing of another.
    Namespace, "namespace"
);
name!(
    /// A watcher of snapshots: one proxy, or one tool.
    NodeId, "node"
);

impl Namespace {
    /// Where everything is that does not say otherwise.
    pub const DEFAULT: &str = "default";

    pub fn is_default(&self) -> bool {
        &*self.0 == Self::DEFAULT
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self(Arc::from(Self::DEFAULT))
    }
}

#[cfg(test)]
mod tests;
