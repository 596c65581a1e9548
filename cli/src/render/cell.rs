//! Reads one cell of a table out of an answer of control.
//!
//! In: a JSON object and the name of a field. Out: text; a field that is absent or null is `-`.
//! Invariant: an answer of a newer or older control gives dashes, never a failure.

use serde_json::Value;

/// What stands where there is nothing.
pub const NOTHING: &str = "-";

/// The field as text; lists are joined with commas.
pub fn text(row: &Value, field: &str) -> String {
    shown(row.get(field).unwrap_or(&Value::Null))
}

/// How many things a list has.
pub fn count(row: &Value, field: &str) -> String {
    items(row, field).len().to_string()
}

/// Seconds as `4s`, `12m`, `3h` or `2d`.
pub fn age(row: &Value, field: &str) -> String {
    let Some(seconds) = row.get(field).and_then(Value::as_f64) else { return NOTHING.to_owned() };
    // Ages are far below 2^53 seconds, and a negative one is a clock that went back.
    let seconds = seconds.max(0.0).round() as u64;
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// The list of a field; absent is empty.
pub fn items<'a>(row: &'a Value, field: &str) -> &'a [Value] {
    row.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The text of a field, if it is text.
pub fn string<'a>(row: &'a Value, field: &str) -> &'a str {
    row.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(","),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    };
    if text.is_empty() { NOTHING.to_owned() } else { text }
}

#[cfg(test)]
mod tests;
