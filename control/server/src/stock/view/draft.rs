//! A standard resource as a translation makes it.

use std::sync::Arc;

use bytes::Bytes;

use crate::stock::kind::Kind;

/// A resource without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub kind: Kind,
    pub name: Arc<str>,
    pub body: Bytes,
    pub leads_to: Vec<Arc<str>>,
}
