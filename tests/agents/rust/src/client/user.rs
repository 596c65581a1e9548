//! The user behind the client: agrees to every form and leaves all fields as they were proposed.
//!
//! In: requests of the server. Out: forms accepted with their defaults, a fixed answer of a model, one root.
//! Never here: requests of the client's own.
//! Invariant: every field of a form that has a default is in the answer.
#![expect(deprecated, reason = "sampling and roots leave the protocol in 2026-07-28, and are spoken until then")]

use rmcp::model::{
    ClientCapabilities, ClientConfig, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams,
    ElicitResult, ElicitationAction, ErrorData, Implementation, ListRootsResult,
};
use rmcp::service::RequestContext;
use rmcp::{ClientHandler, RoleClient};
use serde_json::{Map, Value, json};

pub struct User;

/// What a form holds if nobody changes it; fields without a default get the plainest value of their type.
pub fn proposed(schema: &Value) -> Map<String, Value> {
    let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(name, field)| Some((name.clone(), value_of(field)?))).collect()
}

fn value_of(field: &Value) -> Option<Value> {
    if let Some(default) = field.get("default") {
        return Some(default.clone());
    }
    if let Some(first) = field.get("enum").and_then(|choices| choices.get(0)) {
        return Some(first.clone());
    }
    match field.get("type").and_then(Value::as_str)? {
        "string" => Some(json!("text")),
        "integer" | "number" => Some(json!(1)),
        "boolean" => Some(json!(true)),
        "array" => Some(json!([])),
        "object" => Some(json!({})),
        _ => None,
    }
}

impl ClientHandler for User {
    fn get_info(&self) -> ClientConfig {
        let capabilities = ClientCapabilities::builder().enable_elicitation().enable_roots().enable_sampling().build();
        ClientConfig::new(capabilities, Implementation::new("conformance-client", env!("CARGO_PKG_VERSION")))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { requested_schema, .. } = request else {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        };
        let content = proposed(&json!(requested_schema));
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(Value::Object(content)))
    }

    async fn create_message(
        &self,
        _request: CreateMessageRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        fixed(json!({ "role": "assistant", "content": { "type": "text", "text": "Paris" }, "model": "none" }))
    }

    async fn list_roots(&self, _context: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        fixed(json!({ "roots": [{ "uri": "file:///conformance", "name": "conformance" }] }))
    }
}

fn fixed<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, ErrorData> {
    serde_json::from_value(answer).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}
