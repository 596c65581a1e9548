//! A stored document as people may see it: everything but the values of header fields.
//!
//! In: a document. Out: the same as JSON, with values hidden.
//! Invariant: whatever stands under a key `headers` is hidden, names of fields aside.

use outrigger_model::traffic::HIDDEN;
use serde_json::Value;

/// The key under which secrets may stand.
pub const SECRETS: &str = "headers";

/// None if it is not JSON, which no stored document is.
pub fn shown(document: &str) -> Option<Value> {
    let mut tree = serde_json::from_str(document).ok()?;
    hide(&mut tree);
    Some(tree)
}

fn hide(tree: &mut Value) {
    match tree {
        Value::Object(members) => {
            for (key, value) in members {
                if key == SECRETS { hide_fields(value) } else { hide(value) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Lists are of names; everything else is a value.
fn hide_fields(fields: &mut Value) {
    match fields {
        Value::Object(members) => members.values_mut().for_each(hide_fields),
        Value::Array(_) => {}
        value => *value = HIDDEN.into(),
    }
}

#[cfg(test)]
mod tests;
