//! Whether what a function answers has the shape that its caller reads.
//!
//! In: the shape that is asked for, and the one that was registered; both canonical JSON Schema, as the SDKs of mcp-mesh write it.
//! Out: nothing, or what keeps them apart.
//! Rules (measured): equal hashes always fit. `strict` takes nothing else. `subset` takes what has every field that the caller
//! requires, with a type the caller can read, all the way down. Who registered no shape is taken by `subset` and not by `strict`.
//! Never here: `$ref`, `anyOf` and other keywords; what is not compared keeps nobody apart.

use outrigger_model::registration::Shape;
use outrigger_model::requirement::also::{SchemaMode, SchemaNeed};
use serde_json::{Map, Value};

/// What lies deeper is not compared.
const DEPTH_MAX: usize = 32;
/// Longest name that is told.
const TOLD_CHARS_MAX: usize = 64;

/// A shape that is asked for, ready to be compared.
#[derive(Debug)]
pub struct Wanted<'r> {
    need: &'r SchemaNeed,
    read: Option<Value>,
}

impl<'r> Wanted<'r> {
    pub fn of(need: &'r SchemaNeed) -> Self {
        Self { need, read: serde_json::from_str(&need.canonical).ok() }
    }

    /// What keeps them apart, in words.
    pub fn judge(&self, offered: Option<&Shape>) -> Result<(), String> {
        let SchemaNeed { mode, hash, .. } = self.need;
        let Some(offered) = offered.filter(|shape| !shape.hash.is_empty()) else {
            return match mode {
                SchemaMode::Subset => Ok(()),
                SchemaMode::Strict => Err("it registered no schema".to_owned()),
            };
        };
        if !hash.is_empty() && *hash == offered.hash {
            return Ok(());
        }
        if *mode == SchemaMode::Strict {
            return Err("its schema has another hash".to_owned());
        }
        let (Some(wanted), Ok(offered)) = (&self.read, serde_json::from_str(&offered.canonical)) else {
            return Ok(());
        };
        compare("", wanted, &offered, DEPTH_MAX)
    }
}

fn compare(path: &str, wanted: &Value, offered: &Value, depth: usize) -> Result<(), String> {
    let (Some(wanted), Some(offered)) = (wanted.as_object(), offered.as_object()) else { return Ok(()) };
    if depth == 0 {
        return Ok(());
    }
    types(path, wanted, offered)?;
    let required = wanted.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in required {
        let path = join(path, name);
        let Some(has) = field(offered, name) else { return Err(format!("its schema has no field `{path}`")) };
        if let Some(asked) = field(wanted, name) {
            compare(&path, asked, has, depth - 1)?;
        }
    }
    let Some(items) = wanted.get("items").filter(|items| items.is_object()) else { return Ok(()) };
    let path = join(path, "[]");
    match offered.get("items").filter(|items| items.is_object()) {
        Some(has) => compare(&path, items, has, depth - 1),
        None => Err(format!("its schema does not say what `{path}` is")),
    }
}

fn field<'v>(schema: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    schema.get("properties")?.get(name)
}

/// Each type that the caller names has to have its like; a whole number is a number. Who names none takes any.
fn types(path: &str, wanted: &Map<String, Value>, offered: &Map<String, Value>) -> Result<(), String> {
    let (wanted, offered) = (names(wanted.get("type")), names(offered.get("type")));
    let is_met = |asked: &&str| offered.iter().any(|has| has == asked || (*asked == "number" && *has == "integer"));
    if offered.is_empty() || wanted.iter().all(is_met) {
        return Ok(());
    }
    let what = if path.is_empty() { "it".to_owned() } else { format!("`{path}`") };
    Err(format!("in its schema {what} is {}, not {}", cut(&offered.join(" or ")), cut(&wanted.join(" or "))))
}

/// `"string"` or `["string", "null"]`.
fn names(declared: Option<&Value>) -> Vec<&str> {
    match declared {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn join(path: &str, name: &str) -> String {
    let name = cut(name);
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

fn cut(text: &str) -> String {
    text.chars().take(TOLD_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
