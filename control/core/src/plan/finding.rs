//! What there is to say about a change: a closed list of kinds, each with its weight.
//!
//! Invariant: no finding holds the value of a header field.

use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Probably not what was meant.
    Warning,
    /// It is not published.
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// The document cannot be read, or contradicts itself.
    Invalid,
    /// No snapshot of a view can be built of it.
    Unbuildable,
    /// A connected proxy is of another build, which may know less; what it cannot obey it refuses whole.
    OtherBuild,
    /// Nobody offers a capability that it names.
    UnknownCapability,
    /// Nobody registered an agent that it names.
    UnknownAgent,
    /// Nobody of those asked has a tag that it requires.
    UnknownTag,
    /// There are providers, and none fits or may be called now.
    LeadsNowhere,
    /// A name hides something else, or is hidden by it.
    ShadowedName,
    /// A share that gets no calls.
    ZeroWeight,
    /// Something that never decides, because something before it always does.
    Unreachable,
    /// A header field that may carry a secret.
    SecretValue,
    /// Clients that are not proxies of ours cannot be told.
    StockClients,
}

/// One of them, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub kind: FindingKind,
    /// Such as `routes[forecast].split[0].tags`.
    pub path: String,
    /// For people; one line.
    pub detail: String,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl FindingKind {
    pub const ALL: [Self; 12] = [
        Self::Invalid,
        Self::Unbuildable,
        Self::OtherBuild,
        Self::UnknownCapability,
        Self::UnknownAgent,
        Self::UnknownTag,
        Self::LeadsNowhere,
        Self::ShadowedName,
        Self::ZeroWeight,
        Self::Unreachable,
        Self::SecretValue,
        Self::StockClients,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unbuildable => "unbuildable",
            Self::OtherBuild => "other_build",
            Self::UnknownCapability => "unknown_capability",
            Self::UnknownAgent => "unknown_agent",
            Self::UnknownTag => "unknown_tag",
            Self::LeadsNowhere => "leads_nowhere",
            Self::ShadowedName => "shadowed_name",
            Self::ZeroWeight => "zero_weight",
            Self::Unreachable => "unreachable",
            Self::SecretValue => "secret_value",
            Self::StockClients => "stock_clients",
        }
    }

    /// Agents come and go, so what leads nowhere now may lead somewhere soon: that is no reason to refuse.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Invalid | Self::Unbuildable => Severity::Error,
            Self::OtherBuild
            | Self::UnknownCapability
            | Self::UnknownAgent
            | Self::UnknownTag
            | Self::LeadsNowhere
            | Self::ShadowedName
            | Self::Unreachable => Severity::Warning,
            Self::ZeroWeight | Self::SecretValue | Self::StockClients => Severity::Note,
        }
    }
}

impl Finding {
    pub fn new(kind: FindingKind, path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind, path: path.into(), detail: detail.into() }
    }

    pub fn severity(&self) -> Severity {
        self.kind.severity()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}: {}", self.path, self.kind.as_str(), self.detail)
    }
}
