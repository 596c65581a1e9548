//! Why an offer is not taken, in a word that programs know and in a sentence for people.
//!
//! In: an offer as it was judged. Out: an [`Eviction`], or nothing if it fits and may be called.
//! Source: the words are those of the audit trail of mcp-mesh, and one of ours for namespaces.

use crate::facts::Facts;
use crate::standing::Standing;

use super::ask::{Ask, Loss};
use super::availability;
use super::candidates::Considered;
use super::tags::TagLoss;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eviction {
    pub reason: Reason,
    /// Reads well after "it is not taken:".
    pub detail: String,
}

/// In the order in which an offer is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    NamespaceMismatch,
    Unhealthy,
    /// Its replica is well, and something that it requires is not there.
    Unavailable,
    MissingTag,
    ExtraTagDisallowed,
    VersionConstraintFailed,
    SchemaIncompatible,
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NamespaceMismatch => "NamespaceMismatch",
            Self::Unhealthy => "Unhealthy",
            Self::Unavailable => "Unavailable",
            Self::MissingTag => "MissingTag",
            Self::ExtraTagDisallowed => "ExtraTagDisallowed",
            Self::VersionConstraintFailed => "VersionConstraintFailed",
            Self::SchemaIncompatible => "SchemaIncompatible",
        }
    }
}

/// Why it does not fit.
pub fn loss(ask: &Ask<'_>, considered: &Considered<'_, '_>) -> Option<Eviction> {
    let (reason, detail) = match considered.verdict.as_ref().err()? {
        Loss::Namespace => {
            let namespace = &considered.offer.standing.replica.namespace;
            (
                Reason::NamespaceMismatch,
                format!("it is of namespace `{namespace}`, not `{}`", ask.requirement.namespace()),
            )
        }
        Loss::Tag(TagLoss::Missing(tag)) => (Reason::MissingTag, format!("it lacks the required tag `{tag}`")),
        Loss::Tag(TagLoss::Group(group)) => (Reason::MissingTag, format!("it has none of the tags `{group}`")),
        Loss::Tag(TagLoss::Excluded(tag)) => (Reason::ExtraTagDisallowed, format!("it has the excluded tag `{tag}`")),
        Loss::Version => {
            let (version, range) = (considered.offer.version(), ask.range());
            (Reason::VersionConstraintFailed, format!("its version {version} is outside `{range}`"))
        }
        Loss::Schema(why) => (Reason::SchemaIncompatible, why.clone()),
    };
    Some(Eviction { reason, detail })
}

/// Why it may not be called.
pub fn outage(facts: &Facts, considered: &Considered<'_, '_>) -> Option<Eviction> {
    let Standing { state, replica, .. } = considered.offer.standing;
    if !considered.offer.standing.is_callable() {
        return Some(Eviction {
            reason: Reason::Unhealthy,
            detail: format!("its replica `{}` is {state}", replica.id),
        });
    }
    let need = availability::unmet(facts, &considered.offer)?;
    let function = considered.offer.function();
    Some(Eviction {
        reason: Reason::Unavailable,
        detail: format!("its function `{function}` requires `{}`, which nobody provides", need.capability),
    })
}
