//! Fields of a registration that are shown as they came and mean nothing to the mesh.
//!
//! In: the body as it was registered. Out: its flags, surfaces and filters; what is missing or odd is left out.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Extras {
    pub a2a_producer: bool,
    pub a2a_consumer: bool,
    pub surfaces: Option<Vec<Surface>>,
    /// In the order of the functions.
    pub tools: Vec<Tool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Surface {
    pub path: String,
    pub skill_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tool {
    pub llm_filter: Option<Value>,
    pub llm_provider: Option<Value>,
}

impl Extras {
    pub fn of(raw: &str) -> Self {
        serde_json::from_str(raw).unwrap_or_default()
    }
}
