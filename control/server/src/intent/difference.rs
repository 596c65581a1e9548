//! What differs between two documents: routes, pools and settings, field by field, in words.
//!
//! In: two documents. Out: one [`Difference`] per resource that is not the same.
//! Invariant: values of header fields are compared and never shown.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_control_core::plan::changes::ChangeKind;
use outrigger_model::traffic::HIDDEN;
use serde_json::Value;

use super::shown::SECRETS;

/// Lists of a document, and the key that names their items.
const LISTS: [(&str, &str, &str); 2] = [("routes", "route", "name"), ("pools", "pool", "agent")];
const SETTINGS: &str = "settings";

/// One resource that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub kind: &'static str,
    pub name: String,
    pub change: ChangeKind,
    /// Sorted by path.
    pub fields: Vec<FieldDifference>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDifference {
    pub path: String,
    /// None where nothing was written.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// One value of a document.
#[derive(Debug, PartialEq, Eq)]
struct Leaf {
    value: Value,
    is_secret: bool,
}

type Leaves = BTreeMap<String, Leaf>;

/// None if one of them is not JSON, which no stored document is.
pub fn differences(before: &str, after: &str) -> Option<Vec<Difference>> {
    let (before, after) = (resources(before)?, resources(after)?);
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let none = Leaves::new();
    let mut differences = Vec::new();
    for key in names {
        let (was, is) = (before.get(key), after.get(key));
        let change = match (was, is) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            (Some(_), Some(_)) => ChangeKind::Changed,
        };
        let fields = fields(was.unwrap_or(&none), is.unwrap_or(&none));
        if !fields.is_empty() {
            let (kind, name) = key.clone();
            differences.push(Difference { kind, name, change, fields });
        }
    }
    Some(differences)
}

/// Every resource of a document by kind and name.
fn resources(document: &str) -> Option<BTreeMap<(&'static str, String), Leaves>> {
    let tree: Value = serde_json::from_str(document).ok()?;
    let mut resources = BTreeMap::new();
    if let Some(settings) = tree.get(SETTINGS) {
        resources.insert((SETTINGS, SETTINGS.to_owned()), leaves(settings));
    }
    for (list, kind, name) in LISTS {
        for item in tree.get(list).and_then(Value::as_array).into_iter().flatten() {
            let named = item.get(name).and_then(Value::as_str).unwrap_or_default();
            resources.insert((kind, named.to_owned()), leaves(item));
        }
    }
    Some(resources)
}

fn leaves(item: &Value) -> Leaves {
    let mut all = Leaves::new();
    collect(item, String::new(), false, &mut all);
    all
}

fn collect(value: &Value, path: String, is_secret: bool, all: &mut Leaves) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, value) in members {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(value, below, is_secret || key == SECRETS, all);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, value) in items.iter().enumerate() {
                // Lists under `headers` are of names.
                collect(value, format!("{path}[{at}]"), false, all);
            }
        }
        value => {
            all.insert(path, Leaf { value: value.clone(), is_secret });
        }
    }
}

fn fields(before: &Leaves, after: &Leaves) -> Vec<FieldDifference> {
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut fields = Vec::new();
    for path in paths {
        let (was, is) = (before.get(path), after.get(path));
        if was != is {
            let field = FieldDifference { path: path.clone(), before: was.map(text), after: is.map(text) };
            fields.push(field);
        }
    }
    fields
}

fn text(leaf: &Leaf) -> String {
    match &leaf.value {
        _ if leaf.is_secret => HIDDEN.to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
