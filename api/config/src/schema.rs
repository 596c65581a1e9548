//! The JSON Schema of a configuration type, as the text that is committed under `docs/schema/`.

use schemars::JsonSchema;
use serde_json::{Value, json};

/// Pretty JSON with a final line end; the same type always gives the same text. It knows `extends:`, which no type has.
pub fn schema_text<T: JsonSchema>() -> String {
    let mut schema = schemars::schema_for!(T).to_value();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let description = "A file whose keys hold where this one says nothing, relative to the folder of this one.";
        properties.insert("extends".to_owned(), json!({ "description": description, "type": "string" }));
    }
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
