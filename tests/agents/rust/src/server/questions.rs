//! Questions that a server may put to a client: a form for the user, a prompt for its model, its roots.
//!
//! In: what is to be asked. Out: the request as the protocol has it, and the checked answer to it.
//! Never here: how a question travels; within a result it is `rounds`, as a request of its own it is `speaking`.
//! Invariant: an answer that is not of the question's kind is no answer.

use rmcp::model::{ClientCapabilities, ElicitResult, ErrorData, InputRequest, InputRequests, InputResponses};
use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Form,
    Sampling,
    Roots,
}

pub struct Question {
    pub key: &'static str,
    pub kind: Kind,
    pub request: InputRequest,
}

impl Question {
    pub fn form(key: &'static str, message: &str, schema: Value) -> Result<Self, ErrorData> {
        let params = json!({ "message": message, "requestedSchema": schema });
        Self::new(key, Kind::Form, json!({ "method": "elicitation/create", "params": params }))
    }

    /// A form with one text in it.
    pub fn text(key: &'static str, message: &str, field: &str) -> Result<Self, ErrorData> {
        let schema = json!({ "type": "object", "properties": { field: { "type": "string" } }, "required": [field] });
        Self::form(key, message, schema)
    }

    /// A form with one yes or no in it.
    pub fn yes(key: &'static str, message: &str, field: &str) -> Result<Self, ErrorData> {
        let schema = json!({ "type": "object", "properties": { field: { "type": "boolean" } }, "required": [field] });
        Self::form(key, message, schema)
    }

    pub fn sampling(key: &'static str, prompt: &str) -> Result<Self, ErrorData> {
        let message = json!({ "role": "user", "content": { "type": "text", "text": prompt } });
        let params = json!({ "messages": [message], "maxTokens": 100 });
        Self::new(key, Kind::Sampling, json!({ "method": "sampling/createMessage", "params": params }))
    }

    pub fn roots(key: &'static str) -> Result<Self, ErrorData> {
        Self::new(key, Kind::Roots, json!({ "method": "roots/list", "params": {} }))
    }

    fn new(key: &'static str, kind: Kind, request: Value) -> Result<Self, ErrorData> {
        match serde_json::from_value(request) {
            Ok(request) => Ok(Self { key, kind, request }),
            Err(error) => Err(ErrorData::internal_error(format!("question {key}: {error}"), None)),
        }
    }

    pub fn may_be_asked(&self, capabilities: &ClientCapabilities) -> bool {
        match self.kind {
            Kind::Form => capabilities.elicitation.is_some(),
            Kind::Sampling => capabilities.sampling.is_some(),
            Kind::Roots => capabilities.roots.is_some(),
        }
    }

    /// The answer among those of a retried request, if it is one.
    pub fn answer(&self, responses: Option<&InputResponses>) -> Option<Value> {
        let answer = responses?.get(self.key)?;
        let fits = match self.kind {
            Kind::Form => serde_json::from_value::<ElicitResult>(answer.clone()).is_ok(),
            Kind::Sampling => answer.pointer("/content/text").is_some_and(Value::is_string),
            Kind::Roots => answer.get("roots").is_some_and(Value::is_array),
        };
        fits.then(|| answer.clone())
    }
}

/// What a client has to be able to do if it is to be asked this; told in the error that refuses it otherwise.
pub fn capability_of(question: &Question) -> ClientCapabilities {
    let mut needed = ClientCapabilities::default();
    match question.kind {
        Kind::Form => needed.elicitation = Some(rmcp::model::ElicitationCapability::default()),
        Kind::Sampling => needed.sampling = Some(rmcp::model::SamplingCapability::default()),
        Kind::Roots => needed.roots = Some(rmcp::model::RootsCapabilities::default()),
    }
    needed
}

pub fn requests(questions: &[Question]) -> InputRequests {
    questions.iter().map(|question| (question.key.to_owned(), question.request.clone())).collect()
}

/// An answer in words: the decision and content of a form, the text of a model, the URIs of roots.
pub fn in_words(answer: &Value) -> String {
    if let Some(action) = answer.get("action").and_then(Value::as_str) {
        let content = answer.get("content").cloned().unwrap_or_else(|| json!({}));
        return format!("action={action}, content={content}");
    }
    if let Some(text) = answer.pointer("/content/text").and_then(Value::as_str) {
        return text.to_owned();
    }
    let roots = answer.get("roots").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let uris: Vec<&str> = roots.iter().filter_map(|root| root.get("uri").and_then(Value::as_str)).collect();
    uris.join(", ")
}

/// One field of an answered form; empty if the user declined.
pub fn field<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer.get("content").and_then(|content| content.get(name)).and_then(Value::as_str).unwrap_or_default()
}
