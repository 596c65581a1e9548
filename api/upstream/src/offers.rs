//! What the functions of a registration offer to others.
//!
//! In: a registration. Out: [`Capability`]s, sorted, each name once; several functions of one name are one capability with several tools.
//! Rules: what a function asks for in its `kwargs` and cannot have is left out. Among functions of one name the longest time and the
//! fewest attempts count; a call that is tried too seldom fails, one that is tried too often may act twice.
//! Invariant: a function without a name that others could ask for offers nothing.

use std::collections::BTreeMap;

use outrigger_model::calls::{Calls, WrittenCalls};
use outrigger_model::capability::{Capability, TOOL_NAME_BYTES_MAX, TOOLS_MAX, Tool, ToolHints};
use outrigger_model::digest::Digest;
use outrigger_model::name::CapabilityName;
use outrigger_model::registration::{Function, Registration};
use outrigger_model::tag::{TAGS_MAX, TagSet};
use serde::Deserialize;
use serde_json::{Map, Value};

/// As many as an agent can have.
const RETRY_COUNT_MAX: u64 = 9;

/// What counts of `kwargs`; whatever is there may be of any type.
#[derive(Debug, Default, Deserialize)]
struct Kwargs {
    /// Seconds.
    #[serde(default)]
    timeout: Value,
    #[serde(default)]
    retry_count: Value,
    #[serde(default)]
    custom_headers: Value,
    #[serde(default)]
    streaming: Value,
    #[serde(default)]
    stream_type: Value,
    #[serde(default)]
    session_required: Value,
    #[serde(default)]
    stateful: Value,
}

pub fn capabilities(registration: &Registration) -> Vec<Capability> {
    let mut offered: BTreeMap<CapabilityName, Vec<&Function>> = BTreeMap::new();
    for function in &registration.functions {
        let is_callable = (1..=TOOL_NAME_BYTES_MAX).contains(&function.name.len());
        if let Ok(name) = CapabilityName::new(&function.capability)
            && is_callable
        {
            offered.entry(name).or_default().push(function);
        }
    }
    offered.into_iter().filter_map(|(name, functions)| capability(name, &functions)).collect()
}

fn capability(name: CapabilityName, functions: &[&Function]) -> Option<Capability> {
    let version = functions.iter().map(|function| &function.version).max()?.clone();
    let texts: std::collections::BTreeSet<&str> =
        functions.iter().flat_map(|function| function.tags.iter()).map(|tag| tag.as_str()).collect();
    let tags = TagSet::parse(texts.into_iter().take(TAGS_MAX)).unwrap_or_default();
    let mut tools: Vec<Tool> = functions.iter().map(|function| tool(function)).collect();
    tools.sort_unstable();
    tools.dedup_by(|a, b| a.name == b.name);
    tools.truncate(TOOLS_MAX);
    let kwargs: Vec<Kwargs> =
        functions.iter().map(|function| serde_json::from_str(&function.kwargs).unwrap_or_default()).collect();
    let session_required = kwargs.iter().any(|kwargs| is_true(&kwargs.session_required) || is_true(&kwargs.stateful));
    Some(Capability { name, version, tags, tools, session_required, calls: calls(&kwargs) })
}

fn tool(function: &Function) -> Tool {
    let schema = Digest::of_parts([function.input.canonical.as_bytes(), function.output.canonical.as_bytes()]);
    Tool { name: function.name.to_string(), schema, hints: ToolHints::default() }
}

fn calls(kwargs: &[Kwargs]) -> Calls {
    let timeout_ms = kwargs.iter().filter_map(|kwargs| milliseconds(&kwargs.timeout)).max();
    let retry_count = kwargs.iter().filter_map(|kwargs| kwargs.retry_count.as_u64()).min();
    let retry_count = retry_count.and_then(|count| u32::try_from(count.min(RETRY_COUNT_MAX)).ok());
    let streaming = kwargs.iter().any(|kwargs| is_true(&kwargs.streaming) || kwargs.stream_type.is_string());
    let mut written = WrittenCalls { timeout_ms, retry_count, headers: Vec::new(), streaming };
    // One that cannot be written does not take the others with it.
    for (header, value) in kwargs.iter().filter_map(|kwargs| kwargs.custom_headers.as_object()).flat_map(Map::iter) {
        let Some(value) = value.as_str() else { continue };
        let mut more = written.clone();
        more.headers.push((header.clone(), value.to_owned()));
        if Calls::try_from(more.clone()).is_ok() {
            written = more;
        }
    }
    Calls::try_from(written).unwrap_or_default()
}

fn milliseconds(seconds: &Value) -> Option<u32> {
    let milliseconds = (seconds.as_f64()? * 1_000.0).ceil();
    let fits = milliseconds >= 1.0 && milliseconds <= f64::from(u32::MAX);
    // Within the range of the type, as was just seen.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fits.then_some(milliseconds as u32)
}

/// Python writes `true`, people write `"true"`.
fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true")))
}

#[cfg(test)]
mod tests;
