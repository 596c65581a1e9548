//! What the server offers, and every answer that is always the same.
//!
//! In: the table `offers.json`, compiled in. Out: lists as the protocol shows them, answers by name.
//! Never here: answers that depend on the request.
//! Invariant: lists keep the order of the table, so that two listings of the same tools are equal.

use std::collections::BTreeMap;

use rmcp::model::{CallToolResult, GetPromptResult, Prompt, Resource, ResourceContents, ResourceTemplate, Tool};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offers {
    pub tools: Vec<Tool>,
    /// In the list only while [`super::state::Shared`] says so.
    pub added_tool: Tool,
    pub prompts: Vec<Prompt>,
    /// In the list only while [`super::state::Shared`] says so.
    pub added_prompt: Prompt,
    pub resources: Vec<Resource>,
    pub templates: Vec<ResourceTemplate>,
    /// Results of tools that answer the same to everyone.
    pub answers: BTreeMap<String, CallToolResult>,
    pub messages: BTreeMap<String, GetPromptResult>,
    pub contents: BTreeMap<String, Vec<ResourceContents>>,
}

impl Offers {
    pub fn read() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("offers.json"))
    }
}
