//! What an agent said it offers.
//!
//! In: entries of `tools/list` as JSON. Out: [`Offer`] and its tools; what makes no sense is left out, entry by entry.

use outrigger_model::capability::{TOOL_NAME_BYTES_MAX, TOOLS_MAX, Tool, ToolHints};
use outrigger_model::digest::Digest;
use outrigger_model::revision::Revision;
use serde_json::Value;

use super::canonical;

/// What one agent offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// Revisions that the agent answered to, oldest first.
    pub revisions: Vec<Revision>,
    /// The name and version the server gives itself; for people.
    pub server: Option<Server>,
    /// Sorted by name, each name once.
    pub tools: Vec<Tool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub name: String,
    pub version: String,
}

/// Longest name or version of a server that is kept, in characters.
const SERVER_CHARS_MAX: usize = 128;

impl Server {
    /// Reads an `Implementation`.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text =
            |key| value.get(key).and_then(Value::as_str).map(|text| text.chars().take(SERVER_CHARS_MAX).collect());
        Some(Self { name: text("name")?, version: text("version").unwrap_or_default() })
    }
}

/// Reads the entries of one page; stops at the limit.
pub(super) fn read_tools(page: &Value, tools: &mut Vec<Tool>) {
    let entries = page.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let room = TOOLS_MAX.saturating_sub(tools.len());
    tools.extend(entries.iter().filter_map(read_tool).take(room));
}

fn read_tool(entry: &Value) -> Option<Tool> {
    let name = entry.get("name")?.as_str().filter(|name| (1..=TOOL_NAME_BYTES_MAX).contains(&name.len()))?;
    let part = |key| entry.get(key).map(canonical::bytes).unwrap_or_default();
    let schema = Digest::of_parts([part("inputSchema").as_slice(), part("outputSchema").as_slice()]);
    let hint = |key: &str, default| {
        entry.get("annotations").and_then(|hints| hints.get(key)).and_then(Value::as_bool).unwrap_or(default)
    };
    let absent = ToolHints::default();
    let hints = ToolHints {
        read_only: hint("readOnlyHint", absent.read_only),
        idempotent: hint("idempotentHint", absent.idempotent),
        destructive: hint("destructiveHint", absent.destructive),
    };
    Some(Tool { name: name.to_owned(), schema, hints })
}

/// Sorts, and keeps the first of each name.
pub(super) fn settle(mut tools: Vec<Tool>) -> Vec<Tool> {
    tools.sort_by(|a, b| a.name.cmp(&b.name));
    tools.dedup_by(|later, kept| later.name == kept.name);
    tools
}
