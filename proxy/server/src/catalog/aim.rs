//! Whose a request is, and what it is called there.
//!
//! In: a method, its parameters as the client wrote them, the lists. Out: the target and the parameters as it knows them.
//! Invariant: only the name is replaced; arguments keep their bytes. No list is asked for on the way of a call.

use outrigger_model::digest::Digest;
use outrigger_model::name::AgentName;
use quick_cache::sync::Cache;

use super::listing::Kind;
use super::object::{Object, Raw, as_text, raw};
use super::view::View;

/// Tasks whose owners are remembered.
const TASKS_MAX: usize = 16_384;
/// Longest piece of a caller's own text that is repeated in an answer.
const ECHO_CHARS_MAX: usize = 128;

/// Where a request goes.
#[derive(Debug)]
pub struct Aim {
    pub agent: AgentName,
    pub params: Object,
}

/// Why it goes nowhere.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Miss {
    #[error("the method is not known here")]
    Method,
    #[error("`{member}` is missing")]
    Missing { member: &'static str },
    #[error("no {what} `{text}` is known here")]
    Unknown { what: &'static str, text: String },
}

/// Which target minted a task. Ids are secrets, so their digests are kept.
#[derive(Debug)]
pub struct Tasks(Cache<Digest, AgentName>);

impl Default for Tasks {
    fn default() -> Self {
        Self(Cache::new(TASKS_MAX))
    }
}

impl Tasks {
    /// Learns the id in a result that is a task, or holds one.
    pub fn learn(&self, agent: &AgentName, result: &Object) {
        let held = result.object("task").unwrap_or_default();
        if let Some(id) = result.text("taskId").or_else(|| held.text("taskId")) {
            self.0.insert(Digest::of(id.as_bytes()), agent.clone());
        }
    }

    pub fn owner(&self, id: &str) -> Option<AgentName> {
        self.0.get(&Digest::of(id.as_bytes()))
    }
}

pub fn aim(view: &View, tasks: &Tasks, method: &str, mut params: Object) -> Result<Aim, Miss> {
    let agent = match method {
        "tools/call" => named(view, Kind::Tools, "tool", &mut params)?,
        "prompts/get" => named(view, Kind::Prompts, "prompt", &mut params)?,
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => resource(view, &params)?,
        "completion/complete" => {
            let mut to = params.object("ref").ok_or(Miss::Missing { member: "ref" })?;
            let agent = match to.text("type").as_deref() {
                Some("ref/resource") => resource(view, &to)?,
                _ => named(view, Kind::Prompts, "prompt", &mut to)?,
            };
            params.set("ref", to.raw());
            agent
        }
        "tasks/get" | "tasks/update" | "tasks/cancel" | "tasks/result" => {
            let id = params.text("taskId").ok_or(Miss::Missing { member: "taskId" })?;
            tasks.owner(&id).filter(|agent| view.targets.contains_key(agent)).ok_or(Miss::Unknown {
                what: "task",
                // The id is a secret of its owner.
                text: "with this id".to_owned(),
            })?
        }
        _ => return Err(Miss::Method),
    };
    Ok(Aim { agent, params })
}

fn named(view: &View, kind: Kind, what: &'static str, params: &mut Object) -> Result<AgentName, Miss> {
    let alias = params.text("name").ok_or(Miss::Missing { member: "name" })?;
    let (agent, name) = view.named(kind, &alias).ok_or_else(|| Miss::Unknown { what, text: echo(&alias) })?;
    params.set("name", raw(&name));
    Ok(agent)
}

fn resource(view: &View, params: &Object) -> Result<AgentName, Miss> {
    let uri = params.text("uri").ok_or(Miss::Missing { member: "uri" })?;
    view.resource(&uri).ok_or_else(|| Miss::Unknown { what: "resource", text: echo(&uri) })
}

/// Headers that a modern target wants to see of a tool's arguments: the schema marks them with `x-mcp-header`.
pub fn param_headers(view: &View, agent: &AgentName, params: &Object) -> Vec<(String, String)> {
    let tool = params.text("name").unwrap_or_default();
    let schema = view.entry(Kind::Tools, agent, &tool).and_then(|entry| entry.object("inputSchema"));
    let mut headers = Vec::new();
    if let (Some(schema), Some(arguments)) = (schema, params.object("arguments")) {
        mirror(&schema, &arguments, &mut headers, 8);
    }
    headers
}

fn mirror(schema: &Object, arguments: &Object, headers: &mut Vec<(String, String)>, depth: usize) {
    let Some(properties) = schema.object("properties").filter(|_| depth > 0) else { return };
    for (name, property) in properties.members() {
        let (Some(property), Some(value)) = (Object::read(property), arguments.get(name)) else { continue };
        match (property.text("x-mcp-header"), Object::read(value)) {
            (Some(header), None) => {
                let text = as_text(value).unwrap_or_else(|| value.get().to_owned());
                let header = format!("mcp-param-{}", header.to_ascii_lowercase());
                if http::HeaderName::try_from(header.as_str()).is_ok() && value.get() != "null" {
                    headers.push((header, super::line::header_text(&text)));
                }
            }
            (None, Some(inner)) => mirror(&property, &inner, headers, depth - 1),
            _ => {}
        }
    }
}

/// The id of a request that a notice names.
pub fn request_id(params: Option<&Raw>) -> Option<Raw> {
    Object::read(params?)?.remove("requestId")
}

fn echo(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(ECHO_CHARS_MAX).collect()
}
