//! One tree over another, and the overrides of the environment over both.
//!
//! Rule: maps merge key by key, everything else is replaced whole (a list too: half of two lists is neither).

use std::sync::Arc;

use crate::environment::{Environment, Override};
use crate::error::{ConfigError, Place};
use crate::node::{Entry, Kind, Node, Style};
use crate::parse;

/// `upper` over `lower`.
pub(crate) fn over(lower: Node, upper: Node) -> Node {
    match (lower.kind, upper.kind) {
        (Kind::Map(mut entries), Kind::Map(above)) => {
            for entry in above {
                put(&mut entries, entry);
            }
            Node { place: upper.place, kind: Kind::Map(entries) }
        }
        (_, kind) => Node { place: upper.place, kind },
    }
}

fn put(entries: &mut Vec<Entry>, entry: Entry) {
    match entries.iter().position(|below| below.key == entry.key) {
        None => entries.push(entry),
        Some(at) => {
            let below = entries.remove(at);
            let value = over(below.value, entry.value);
            entries.insert(at, Entry { key: entry.key, place: entry.place, value });
        }
    }
}

/// The tree with every `OUTRIGGER_A__B=value` put at `a.b`.
pub(crate) fn with_overrides(mut tree: Node, environment: &Environment) -> Result<Node, ConfigError> {
    for change in environment.overrides() {
        tree = over(tree, branch(&change)?);
    }
    Ok(tree)
}

/// A tree that holds nothing but the one overriding value.
fn branch(change: &Override<'_>) -> Result<Node, ConfigError> {
    let place = Place::Variable(Arc::from(change.variable));
    let leaf = match parsed_collection(change)? {
        Some(kind) => Node { place: place.clone(), kind: relocated(kind, &place) },
        None => {
            let kind = Kind::Scalar { text: change.value.to_owned(), style: Style::Substituted };
            Node { place: place.clone(), kind }
        }
    };
    Ok(change.keys.iter().rev().fold(leaf, |value, key| {
        let entry = Entry { key: key.clone(), place: place.clone(), value };
        Node { place: place.clone(), kind: Kind::Map(vec![entry]) }
    }))
}

/// `[…]` and `{…}` are lists and maps; every other text is taken as it is, so that addresses and secrets need no quotes.
fn parsed_collection(change: &Override<'_>) -> Result<Option<Kind>, ConfigError> {
    let text = change.value.trim();
    let is_list = text.starts_with('[') && text.ends_with(']');
    let is_map = text.starts_with('{') && text.ends_with('}');
    if !is_list && !is_map {
        return Ok(None);
    }
    let file = Arc::from(format!("environment variable {}", change.variable));
    Ok(Some(parse::parse(text, &file)?.kind))
}

fn relocated(kind: Kind, place: &Place) -> Kind {
    let moved = |node: Node| Node { place: place.clone(), kind: relocated(node.kind, place) };
    match kind {
        Kind::Scalar { text, style } => Kind::Scalar { text, style },
        Kind::List(nodes) => Kind::List(nodes.into_iter().map(moved).collect()),
        Kind::Map(entries) => {
            let entry = |Entry { key, value, .. }| Entry { key, place: place.clone(), value: moved(value) };
            Kind::Map(entries.into_iter().map(entry).collect())
        }
    }
}
