//! What one watcher asked for beyond what everyone gets, its dependencies; its namespace, whether it sees
//! anything beside, whether it is a proxy, and whose intent it gets.
//!
//! In: the texts that a proxy sends as its needs. Out: a [`Scope`]; watchers of equal scopes share one view.
//! Rule: a dependency without `@namespace=` is one of the watcher's own namespace. Those of agents of mcp-mesh, which say how far they
//! reach, are complete as they are: the name of their route stands for their text.
//! Invariant: the order in which needs were written does not matter, and no local name has two meanings.

use std::collections::BTreeMap;
use std::fmt;

use outrigger_model::digest::Digest;
use outrigger_model::name::{Namespace, RouteName};
use outrigger_model::requirement::also::Reach;
use outrigger_model::requirement::{BadRequirement, Dependency, Requirement};

use crate::rollout::lane::Lane;

/// Most dependencies of one watcher.
pub const NEEDS_MAX: usize = 256;

/// The dependencies of a watcher, by the local name of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    needs: BTreeMap<RouteName, Requirement>,
    namespace: Namespace,
    audience: Audience,
    sight: Sight,
    lane: Lane,
    key: ViewKey,
}

/// How much of the mesh is in a view beside the watcher's dependencies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sight {
    /// Every agent, capability and route of its namespace.
    #[default]
    All,
    /// Nothing: the watcher calls what it depends on.
    Needs,
}

impl From<bool> for Sight {
    fn from(only_needs: bool) -> Self {
        if only_needs { Self::Needs } else { Self::All }
    }
}

/// For whom a view is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Audience {
    /// Serves calls by it, and gets the keys that proxies share.
    #[default]
    Proxies,
    /// Only looks.
    Observers,
}

/// Names a view in the ledger and in the store: `base`, or a digest of the dependencies; behind it the namespace where that is not
/// `default`, and before it `observer` for who only looks, `canary` for who tries a candidate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewKey(String);

#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    #[error("needs[{at}]: `{text}` is not a dependency of the form alias=capability range tag…")]
    Dependency {
        at: usize,
        text: String,
        #[source]
        cause: BadRequirement,
    },
    #[error("needs[{at}]: `{alias}` already stands for another requirement; give one of them another alias")]
    Contradiction { at: usize, alias: RouteName },
    #[error("{0} needs are more than {NEEDS_MAX}")]
    Many(usize),
}

impl Scope {
    /// What a watcher without dependencies sees.
    pub fn base() -> Self {
        Self::default()
    }

    pub fn parse<T: AsRef<str>>(needs: &[T]) -> Result<Self, ScopeError> {
        if needs.len() > NEEDS_MAX {
            return Err(ScopeError::Many(needs.len()));
        }
        let mut parsed = BTreeMap::new();
        for (at, text) in needs.iter().enumerate() {
            let text = text.as_ref();
            let Dependency { alias, requirement } = text.parse().map_err(|cause| ScopeError::Dependency {
                at,
                text: text.chars().take(128).collect(),
                cause,
            })?;
            match parsed.insert(alias.clone(), requirement.clone()) {
                Some(earlier) if earlier != requirement => return Err(ScopeError::Contradiction { at, alias }),
                _ => {}
            }
        }
        Ok(Self { needs: parsed, ..Self::default() }.keyed())
    }

    /// The same as it is seen from a namespace.
    #[must_use]
    pub fn within(mut self, namespace: Namespace) -> Self {
        for requirement in self.needs.values_mut() {
            let also = &mut requirement.also;
            if also.namespace.is_none() && also.reach == Reach::One && !namespace.is_default() {
                also.namespace = Some(namespace.clone());
            }
        }
        Self { namespace, ..self }.keyed()
    }

    /// The same for somebody else.
    #[must_use]
    pub fn of(self, audience: Audience) -> Self {
        Self { audience, ..self }.keyed()
    }

    /// The same by another intent. Who only looks sees the main one.
    #[must_use]
    pub fn on(self, lane: Lane) -> Self {
        let lane = if self.may_try() { lane } else { Lane::Main };
        Self { lane, ..self }.keyed()
    }

    fn keyed(self) -> Self {
        let key = ViewKey::of(&self);
        Self { key, ..self }
    }

    /// The same with as much beside its needs.
    #[must_use]
    pub fn seeing(self, sight: Sight) -> Self {
        Self { sight, ..self }.keyed()
    }

    pub fn sight(&self) -> Sight {
        self.sight
    }

    /// Whose agents are in it.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Whether it may be in the lane of a candidate.
    pub fn may_try(&self) -> bool {
        self.audience == Audience::Proxies
    }

    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Whether keys are part of it.
    pub fn has_keys(&self) -> bool {
        self.audience == Audience::Proxies
    }

    /// Sorted by local name.
    pub fn needs(&self) -> impl Iterator<Item = (&RouteName, &Requirement)> {
        self.needs.iter()
    }

    pub fn key(&self) -> &ViewKey {
        &self.key
    }
}

impl ViewKey {
    pub fn base() -> Self {
        Self("base".to_owned())
    }

    /// Takes a key as it was stored.
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(scope: &Scope) -> Self {
        let texts: Vec<String> =
            scope.needs.iter().map(|(alias, requirement)| format!("{alias}={requirement}")).collect();
        let needs = match texts.as_slice() {
            [] => Self::base().0,
            texts => format!("needs-{}", Digest::of_parts(texts.iter().map(String::as_bytes))),
        };
        let audience = match (scope.audience, scope.lane) {
            (Audience::Observers, _) => "observer-",
            (Audience::Proxies, Lane::Canary) => "canary-",
            (Audience::Proxies, Lane::Main) => "",
        };
        let needs = match scope.sight {
            Sight::All => needs,
            Sight::Needs => format!("only-{needs}"),
        };
        match &scope.namespace {
            namespace if namespace.is_default() => Self(format!("{audience}{needs}")),
            namespace => Self(format!("{audience}{needs}@{namespace}")),
        }
    }
}

impl Default for ViewKey {
    fn default() -> Self {
        Self::base()
    }
}

impl fmt::Display for ViewKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
