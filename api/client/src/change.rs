//! What an applied snapshot changed, resource by resource.

use std::sync::Arc;

use outrigger_model::resource::{ResourceKind, Token};

/// What happened to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    Added,
    Changed,
    Removed,
}

/// One resource that differs from the snapshot applied before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub kind: ResourceKind,
    pub name: Arc<str>,
    pub op: Op,
    /// Its new version, or the last one it had.
    pub token: Token,
}

impl Op {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}
