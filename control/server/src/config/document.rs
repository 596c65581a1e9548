//! What operators declare, as one document: `settings`, `routes` and `pools` as `control.yaml` spells them.
//!
//! In: a text as people write it, or a document as it was stored. Out: a [`Document`]: one canonical text, and what it means.
//! Never here: variables of this machine; who sends a document has replaced its own.
//! Invariant: equal declarations have equal texts, and a text means what the file meant. No error and no debug output repeats what stands
//! under `headers`; it may be a secret.

use std::fmt;
use std::time::Duration;

use outrigger_config::{ConfigError, Environment, Place, load_str};
use outrigger_control_core::intent::Intent;
use outrigger_control_core::plan::finding::{Finding, FindingKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::causes::chain;
use crate::config::declared::{DeclaredError, intent};
use crate::config::file::{ControlFile, MeshFile, RouteFile};
use crate::config::pools::PoolFile;
use crate::config::sessions;

/// Maps in which nothing is written mean the same as no map. Of others, such as `mirror`, it matters that they are there.
const SECTIONS: [&str; 11] =
    ["timeouts", "quick", "call", "stream", "retries", "outlier", "breaker", "concurrency", "headers", "set", "add"];

/// Switches that are off where nothing is written.
const SWITCHES: [&str; 2] = ["inspect", "trust_hints"];

/// The part of `control.yaml` that is versioned.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DocumentFile {
    pub settings: MeshFile,
    pub routes: Vec<RouteFile>,
    pub pools: Vec<PoolFile>,
}

/// One declaration: its text, and what it means.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// Canonical JSON. It may hold secrets.
    pub text: String,
    pub intent: Intent,
    /// After how long a key of session ids is followed by a new one; none is never.
    pub keys_every: Option<Duration>,
}

/// Why a document is not taken.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error(transparent)]
    Unreadable(#[from] ConfigError),
    #[error(transparent)]
    Meaningless(#[from] DeclaredError),
}

impl Document {
    /// Reads what people write: YAML or JSON.
    pub fn read(text: &str) -> Result<Self, DocumentError> {
        let file: DocumentFile = load_str(text, &Environment::default())?;
        Ok(Self::of(file)?)
    }

    /// Reads JSON that was written by a program, in which a `$` stands for itself.
    pub fn literal(json: &str) -> Result<Self, DocumentError> {
        Self::read(&json.replace("${", "$${"))
    }

    pub fn of(file: DocumentFile) -> Result<Self, DeclaredError> {
        let text = canonical(&file)?;
        let DocumentFile { settings, routes, pools } = file;
        let keys_every = sessions::keys_every(&settings).map_err(DeclaredError::Sessions)?;
        Ok(Self { text, intent: intent(routes, pools, &settings)?, keys_every })
    }
}

impl Default for Document {
    /// What an empty file declares.
    fn default() -> Self {
        Self { text: "{}".to_owned(), intent: Intent::default(), keys_every: sessions::keys_every_usual() }
    }
}

/// Without the text, which may hold secrets.
impl fmt::Debug for Document {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text: _, intent, keys_every } = self;
        out.debug_struct("Document").field("intent", intent).field("keys_every", keys_every).finish_non_exhaustive()
    }
}

impl From<ControlFile> for DocumentFile {
    fn from(file: ControlFile) -> Self {
        let ControlFile { settings, routes, pools, .. } = file;
        Self { settings, routes, pools }
    }
}

fn canonical(file: &DocumentFile) -> Result<String, DeclaredError> {
    let mut tree = serde_json::to_value(file).map_err(DeclaredError::Unwritable)?;
    prune(&mut tree);
    serde_json::to_string(&tree).map_err(DeclaredError::Unwritable)
}

/// Takes away what stands for nothing.
fn prune(tree: &mut Value) {
    match tree {
        Value::Object(members) => {
            members.values_mut().for_each(prune);
            members.retain(|key, value| !is_nothing(key, value));
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_nothing(key: &str, value: &Value) -> bool {
    let is_section = SECTIONS.contains(&key) || key == "settings";
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => is_section && members.is_empty(),
        Value::Bool(is_on) => !is_on && SWITCHES.contains(&key),
        Value::Number(_) | Value::String(_) => false,
    }
}

impl DocumentError {
    /// The same as a finding, with the place that is wrong.
    pub fn finding(&self) -> Finding {
        let (path, detail) = match self {
            Self::Unreadable(error) => unreadable(error),
            Self::Meaningless(DeclaredError::Intent(error)) => placed(&error.to_string()),
            Self::Meaningless(error) => placed(&chain(error)),
        };
        Finding::new(FindingKind::Invalid, path, detail)
    }
}

fn unreadable(error: &ConfigError) -> (String, String) {
    let line = |place: &Place| match place {
        Place::Line { line, .. } => format!("line {line}"),
        Place::Variable(name) => name.to_string(),
    };
    match error {
        ConfigError::UnknownKey { path, suggestion, known, .. } => {
            let next = suggestion.as_ref().map_or_else(
                || format!("known here: {}", known.join(", ")),
                |suggestion| format!("did you mean `{suggestion}`?"),
            );
            (path.clone(), format!("unknown key; {next}"))
        }
        ConfigError::MissingKey { path, .. } => (path.clone(), "it is missing; add it".to_owned()),
        ConfigError::Type { path, .. } if path.contains("headers") => {
            (path.clone(), "it is of the wrong type; its value is not shown".to_owned())
        }
        ConfigError::Type { path, detail, .. } | ConfigError::Value { path, detail } => (path.clone(), detail.clone()),
        ConfigError::Contradiction { path, detail, hint } => (path.clone(), format!("{detail}; {hint}")),
        ConfigError::MissingVariable { place, name } => {
            let detail =
                format!("`${{{name}}}` is a variable of another machine; send its value, or `$${{` for the characters");
            (line(place), detail)
        }
        ConfigError::Syntax { place, detail } => (line(place), detail.clone()),
        ConfigError::Unreadable { .. } | ConfigError::TooLarge { .. } | ConfigError::Extends { .. } => {
            ("document".to_owned(), error.to_string())
        }
    }
}

/// Messages about a meaning begin with the key that they are about.
fn placed(text: &str) -> (String, String) {
    let end = text.find(|symbol: char| symbol == ':' || symbol.is_whitespace()).unwrap_or(text.len());
    let (path, rest) = text.split_at(end);
    let is_key = ["routes", "pools", "settings"].iter().any(|key| path.starts_with(key));
    if is_key {
        return (path.to_owned(), rest.trim_start_matches(':').trim_start().to_owned());
    }
    ("document".to_owned(), text.to_owned())
}

#[cfg(test)]
mod tests;
