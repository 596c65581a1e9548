//! The intent that runs, as control says it.

use serde_json::Value;

use crate::ask;
use crate::http::Origin;
use crate::problem::Problem;
use crate::render::cell::items;

/// The newest record of the history, which is the one that runs.
pub async fn newest(control: &Origin) -> Result<Value, Problem> {
    let page = ask::control(control, "/v1/history?limit=1").await?;
    let newest = items(&page, "items").first().cloned();
    newest.ok_or_else(|| Problem::failed("control has no intent yet").next("outrigger get events"))
}

pub fn number(record: &Value) -> u64 {
    record.get("number").and_then(Value::as_u64).unwrap_or_default()
}
