//! The JSON Schema of a configuration type, as the text that is committed under `docs/schema/`.

use schemars::JsonSchema;

/// Pretty JSON with a final line end; the same type always gives the same text.
pub fn schema_text<T: JsonSchema>() -> String {
    let schema = schemars::schema_for!(T);
    let mut text = serde_json::to_string_pretty(schema.as_value()).unwrap_or_default();
    text.push('\n');
    text
}
