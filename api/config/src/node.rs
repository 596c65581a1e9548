//! The tree between YAML and typed values; every node remembers where it was written.
//!
//! Invariant: keys of one map are distinct; depth and count are bounded by the parser.

use crate::error::Place;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub place: Place,
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Scalar { text: String, style: Style },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub key: String,
    pub place: Place,
    pub value: Node,
}

/// How a scalar was written: it decides whether `17` is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Quoted,
    /// Holds the value of a variable; quoted or not, it may be a number.
    Substituted,
}

impl Node {
    pub(crate) fn empty_map(place: Place) -> Self {
        Self { place, kind: Kind::Map(Vec::new()) }
    }

    /// `key:` with nothing behind it, `null` or `~`.
    pub(crate) fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar { text, style: Style::Plain } => matches!(text.as_str(), "" | "~" | "null"),
            Kind::Scalar { text, style: Style::Substituted } => text.is_empty(),
            _ => false,
        }
    }
}
