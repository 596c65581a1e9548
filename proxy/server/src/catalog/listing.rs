//! What one target offers, page by page.
//!
//! In: an open line and how the target introduced itself. Out: a [`Listing`].
//! Invariant: a target can fill no more than its bounds, however many pages it has.

use std::time::Duration;

use outrigger_model::revision::Era;

use super::line::{Line, LineError};
use super::object::Object;

/// Most entries of one list of one target.
const ENTRIES_MAX: usize = 10_000;
const PAGES_MAX: usize = 1_000;

/// The four lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Tools,
    Prompts,
    Resources,
    Templates,
}

/// Everything that one target said of itself.
#[derive(Debug, Clone)]
pub struct Listing {
    pub era: Era,
    pub revision: String,
    pub capabilities: Object,
    /// By [`Kind`]: keys and entries, sorted by key, each key once.
    pub lists: [Vec<(String, Object)>; 4],
    /// How long the lists may be kept, where the target says it.
    pub ttl: Option<Duration>,
    /// May be told to this caller only.
    pub private: bool,
}

impl Kind {
    /// The list of this kind among all four, which stand in the order of the kinds.
    pub fn of<T>(self, lists: &[Vec<T>; 4]) -> &[T] {
        let [tools, prompts, resources, templates] = lists;
        match self {
            Self::Tools => tools,
            Self::Prompts => prompts,
            Self::Resources => resources,
            Self::Templates => templates,
        }
    }

    pub const ALL: [Self; 4] = [Self::Tools, Self::Prompts, Self::Resources, Self::Templates];

    pub const fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
        }
    }

    pub fn of_method(method: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.method() == method)
    }

    /// The member of a result that holds the list.
    pub const fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
        }
    }

    /// What tells two entries of one target apart.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::Templates => "uriTemplate",
        }
    }

    pub const fn capability(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources | Self::Templates => "resources",
        }
    }
}

impl Listing {
    pub fn list(&self, kind: Kind) -> &[(String, Object)] {
        kind.of(&self.lists)
    }

    pub fn has(&self, capability: &str) -> bool {
        self.capabilities.get(capability).is_some()
    }

    /// Whether a target says when one of its lists changes.
    pub fn tells_changes(&self) -> bool {
        Kind::ALL.into_iter().any(|kind| self.tells(kind.capability(), "listChanged"))
    }

    pub fn tells(&self, capability: &str, what: &str) -> bool {
        let declared = self.capabilities.object(capability);
        declared.is_some_and(|declared| declared.get(what).is_some_and(|raw| raw.get() == "true"))
    }
}

/// Reads all lists. `opening` is the result of `server/discover` or `initialize`.
pub async fn listing(line: &Line, opening: &Object) -> Result<Listing, LineError> {
    let mut found = Listing {
        era: line.era,
        revision: line.revision.clone(),
        capabilities: opening.object("capabilities").unwrap_or_default(),
        lists: Default::default(),
        ttl: None,
        private: line.era == Era::Legacy,
    };
    let mut ttl: Option<u64> = None;
    for (kind, place) in Kind::ALL.into_iter().zip(0..) {
        if !found.has(kind.capability()) {
            continue;
        }
        let entries = match pages(line, kind, &mut ttl, &mut found.private).await {
            Ok(entries) => entries,
            // A server with resources and without templates may not know the method.
            Err(LineError::Refused { .. }) if kind == Kind::Templates => Vec::new(),
            Err(error) => return Err(error),
        };
        if let Some(list) = found.lists.get_mut(place) {
            *list = entries;
        }
    }
    found.ttl = ttl.map(Duration::from_millis);
    Ok(found)
}

async fn pages(
    line: &Line,
    kind: Kind,
    ttl: &mut Option<u64>,
    private: &mut bool,
) -> Result<Vec<(String, Object)>, LineError> {
    let mut entries: Vec<(String, Object)> = Vec::new();
    let mut params = Object::default();
    for _ in 0..PAGES_MAX {
        let result = line.ask(kind.method(), params).await?;
        for raw in result.items(kind.member()) {
            let Some(entry) = Object::read(&raw) else { continue };
            if let Some(key) = entry.text(kind.key()).filter(|_| entries.len() < ENTRIES_MAX) {
                entries.push((key, entry));
            }
        }
        let told: Option<u64> = result.get("ttlMs").and_then(|raw| serde_json::from_str(raw.get()).ok());
        *ttl = match (*ttl, told) {
            (Some(held), Some(told)) => Some(held.min(told)),
            (held, told) => held.or(told),
        };
        *private |= result.text("cacheScope").as_deref() != Some("public");
        match result.text("nextCursor") {
            Some(cursor) if entries.len() < ENTRIES_MAX => params = Object::default().with("cursor", &cursor),
            _ => break,
        }
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.dedup_by(|(a, _), (b, _)| a == b);
    Ok(entries)
}
