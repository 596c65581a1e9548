//! The body of `POST /heartbeat`.
//!
//! In: bytes. Out: a [`Heartbeat`], or why it is none; fields that nobody knows are passed over.
//! Source: measured on mcp-mesh 3.8.0; names as its OpenAPI file has them.

use std::sync::Arc;

use outrigger_model::name::{AgentName, Namespace, ReplicaId};
use outrigger_model::registration::{
    AgentKind, FUNCTIONS_MAX, Function, FunctionNeed, NEEDS_PER_FUNCTION_MAX, Registration, Shape, ToolChoice,
    ToolChoiceMode,
};
use outrigger_model::requirement::also::Reach;
use outrigger_model::tag::TagSet;
use semver::Version;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::requirement::{BadNeed, NeedJson, requirement};

/// Largest body that is read.
pub const BODY_BYTES_MAX: usize = 4 << 20;
/// What a description is cut to, in characters.
const DESCRIPTION_CHARS_MAX: usize = 1_024;
const RUNTIMES: [&str; 3] = ["python", "typescript", "java"];

/// One heartbeat that can be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    pub id: ReplicaId,
    pub agent: AgentName,
    pub version: Version,
    pub namespace: Namespace,
    pub registration: Registration,
}

/// Why a body is not taken. mcp-mesh answers the first three with 400, the others with 200 and `"status":"error"`.
#[derive(Debug, thiserror::Error)]
pub enum BadHeartbeat {
    #[error("{0} bytes are more than {BODY_BYTES_MAX}")]
    Large(usize),
    #[error("the body is not a heartbeat: {0}")]
    Json(#[from] serde_json::Error),
    #[error("agent_id is required")]
    NoId,
    #[error("validation failed: {field}: {detail}")]
    Field { id: String, field: String, detail: String },
}

#[derive(Deserialize)]
struct HeartbeatJson {
    #[serde(default)]
    agent_id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    agent_type: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    http_host: Option<String>,
    #[serde(default)]
    http_port: Option<u16>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    runtime: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    tools: Option<Vec<ToolJson>>,
}

#[derive(Deserialize)]
struct ToolJson {
    #[serde(default)]
    function_name: String,
    #[serde(default)]
    capability: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    dependencies: Option<Vec<NeedJson>>,
    #[serde(default, rename = "inputSchema")]
    input_schema: Option<Box<RawValue>>,
    #[serde(default, rename = "inputSchemaCanonical")]
    input_canonical: Option<Box<RawValue>>,
    #[serde(default, rename = "inputSchemaHash")]
    input_hash: Option<String>,
    #[serde(default, rename = "outputSchemaCanonical")]
    output_canonical: Option<Box<RawValue>>,
    #[serde(default, rename = "outputSchemaHash")]
    output_hash: Option<String>,
    #[serde(default)]
    kwargs: Option<Box<RawValue>>,
    #[serde(default)]
    llm_filter: Option<FilterJson>,
    #[serde(default)]
    llm_provider: Option<NeedJson>,
}

#[derive(Deserialize)]
struct FilterJson {
    #[serde(default)]
    filter: Option<Vec<FilterEntry>>,
    #[serde(default)]
    filter_mode: Option<String>,
}

/// A capability by name alone, or with more.
#[derive(Deserialize)]
#[serde(untagged)]
enum FilterEntry {
    Name(String),
    Need(NeedJson),
}

impl Heartbeat {
    pub fn read(body: &[u8]) -> Result<Self, BadHeartbeat> {
        if body.len() > BODY_BYTES_MAX {
            return Err(BadHeartbeat::Large(body.len()));
        }
        let json: HeartbeatJson = serde_json::from_slice(body)?;
        // What follows is kept and sent on, so it has to be one text.
        let raw: Value = serde_json::from_slice(body)?;
        if json.agent_id.is_empty() {
            return Err(BadHeartbeat::NoId);
        }
        Reader { id: json.agent_id.clone() }.heartbeat(json, raw.to_string().into())
    }
}

/// Reads the fields of one heartbeat, and says no under its id.
struct Reader {
    id: String,
}

impl Reader {
    fn no(&self, field: &str, detail: &dyn std::fmt::Display) -> BadHeartbeat {
        let cut = |text: String| text.chars().take(256).collect();
        BadHeartbeat::Field { id: cut(self.id.clone()), field: field.to_owned(), detail: cut(detail.to_string()) }
    }

    fn heartbeat(&self, json: HeartbeatJson, raw: Arc<str>) -> Result<Heartbeat, BadHeartbeat> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !json.agent_id.bytes().all(fits) {
            return Err(
                self.no("agent_id", &"agent_id must contain only lowercase alphanumeric characters and hyphens")
            );
        }
        let id = ReplicaId::new(&json.agent_id).map_err(|error| self.no("agent_id", &error))?;
        let name = json.name.filter(|name| !name.is_empty()).unwrap_or_else(|| json.agent_id.clone());
        let agent = AgentName::new(&name).map_err(|error| self.no("name", &error))?;
        let kind = json.agent_type.as_deref().filter(|text| !text.is_empty()).unwrap_or("mcp_agent");
        let kind = AgentKind::parse(kind)
            .ok_or_else(|| self.no("agent_type", &format!("`{kind}` is not mcp_agent, api or a2a")))?;
        let runtime = json.runtime.filter(|text| !text.is_empty()).unwrap_or_else(|| "python".to_owned());
        if !RUNTIMES.contains(&runtime.as_str()) {
            return Err(self.no("runtime", &format!("`{runtime}` is not python, typescript or java")));
        }
        let namespace = json.namespace.filter(|text| !text.is_empty());
        let namespace = namespace.map_or(Ok(Namespace::default()), |text| self.namespace("namespace", &text))?;
        let functions = self.functions(json.tools.unwrap_or_default(), &namespace)?;
        let registration = Registration {
            kind,
            runtime: runtime.into(),
            description: cut(json.description.as_deref().unwrap_or_default()),
            host: json.http_host.unwrap_or_default().chars().take(255).collect::<String>().into(),
            port: json.http_port.unwrap_or_default(),
            functions,
            raw,
        };
        let version = self.version("version", json.version.as_deref())?;
        Ok(Heartbeat { id, agent, version, namespace, registration })
    }

    fn namespace(&self, field: &str, text: &str) -> Result<Namespace, BadHeartbeat> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !text.bytes().all(fits) {
            return Err(self.no(field, &"a namespace has only lower-case letters, digits and hyphens"));
        }
        Namespace::new(text).map_err(|error| self.no(field, &error))
    }

    /// One that is missing is 1.0.0, as mcp-mesh has it; so is one that is no version, which it compares as text.
    fn version(&self, field: &str, text: Option<&str>) -> Result<Version, BadHeartbeat> {
        let text = text.unwrap_or_default().trim().trim_start_matches('v');
        if text.is_empty() {
            return Ok(Version::new(1, 0, 0));
        }
        let padded = match text.split(['-', '+']).next().unwrap_or_default().matches('.').count() {
            0 if text.bytes().all(|byte| byte.is_ascii_digit()) => format!("{text}.0.0"),
            1 if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => format!("{text}.0"),
            _ => text.to_owned(),
        };
        Version::parse(&padded).map_err(|error| self.no(field, &format!("`{text}` is not a version: {error}")))
    }

    fn functions(&self, tools: Vec<ToolJson>, namespace: &Namespace) -> Result<Vec<Function>, BadHeartbeat> {
        if tools.len() > FUNCTIONS_MAX {
            return Err(self.no("tools", &format!("{} are more than {FUNCTIONS_MAX}", tools.len())));
        }
        let tools = tools.into_iter().enumerate();
        tools.map(|(at, tool)| self.function(&format!("tools[{at}]"), tool, namespace)).collect()
    }

    fn function(&self, at: &str, tool: ToolJson, namespace: &Namespace) -> Result<Function, BadHeartbeat> {
        let field = |name: &str| format!("{at}.{name}");
        if tool.function_name.is_empty() || tool.function_name.len() > 256 {
            return Err(self.no(&field("function_name"), &"a function name has 1 to 256 bytes"));
        }
        let tags = tool.tags.unwrap_or_default();
        let need = |name: &str, json: &NeedJson, reach: Reach| {
            requirement(json, namespace, reach).map_err(|error: BadNeed| self.no(&field(name), &error))
        };
        let dependencies = tool.dependencies.unwrap_or_default();
        if dependencies.len() > NEEDS_PER_FUNCTION_MAX {
            return Err(self.no(&field("dependencies"), &format!("more than {NEEDS_PER_FUNCTION_MAX}")));
        }
        let needs = dependencies.iter().enumerate().map(|(at, json)| {
            let requirement = need(&format!("dependencies[{at}]"), json, Reach::Ties)?;
            Ok::<_, BadHeartbeat>(FunctionNeed { requirement, required: json.required.unwrap_or_default() })
        });
        Ok(Function {
            capability: tool.capability.unwrap_or_default().chars().take(128).collect::<String>().into(),
            version: self.version(&field("version"), tool.version.as_deref())?,
            tags: TagSet::parse(&tags).map_err(|error| self.no(&field("tags"), &error))?,
            description: cut(tool.description.as_deref().unwrap_or_default()),
            kwargs: text(tool.kwargs),
            input_schema: text(tool.input_schema),
            input: Shape { hash: tool.input_hash.unwrap_or_default().into(), canonical: text(tool.input_canonical) },
            output: Shape { hash: tool.output_hash.unwrap_or_default().into(), canonical: text(tool.output_canonical) },
            needs: needs.collect::<Result<_, _>>()?,
            tools: tool.llm_filter.map(|filter| self.tools(&field("llm_filter"), filter, namespace)).transpose()?,
            model: tool.llm_provider.as_ref().map(|json| need("llm_provider", json, Reach::Ties)).transpose()?,
            name: tool.function_name.into(),
        })
    }

    fn tools(&self, at: &str, json: FilterJson, namespace: &Namespace) -> Result<ToolChoice, BadHeartbeat> {
        let mode = json.filter_mode.as_deref().filter(|text| !text.is_empty()).unwrap_or("all");
        let mode = ToolChoiceMode::parse(mode)
            .ok_or_else(|| self.no(&format!("{at}.filter_mode"), &format!("`{mode}` is not all, best_match or *")))?;
        let entries = json.filter.unwrap_or_default();
        if entries.len() > NEEDS_PER_FUNCTION_MAX {
            return Err(self.no(&format!("{at}.filter"), &format!("more than {NEEDS_PER_FUNCTION_MAX}")));
        }
        let read = |(index, entry): (usize, FilterEntry)| {
            let json = match entry {
                FilterEntry::Name(capability) => NeedJson { capability, ..NeedJson::default() },
                FilterEntry::Need(json) => json,
            };
            requirement(&json, namespace, Reach::All).map_err(|error| self.no(&format!("{at}.filter[{index}]"), &error))
        };
        let any_of = match mode {
            ToolChoiceMode::Wildcard => vec![
                requirement(&NeedJson::default(), namespace, Reach::All)
                    .map_err(|error| self.no(&format!("{at}.filter_mode"), &error))?,
            ],
            ToolChoiceMode::All | ToolChoiceMode::BestMatch => {
                entries.into_iter().enumerate().map(read).collect::<Result<_, _>>()?
            }
        };
        Ok(ToolChoice { any_of, mode })
    }
}

fn text(raw: Option<Box<RawValue>>) -> Arc<str> {
    raw.filter(|raw| raw.get() != "null").map_or_else(|| Arc::from(""), |raw| Arc::from(raw.get()))
}

fn cut(text: &str) -> Arc<str> {
    text.chars().take(DESCRIPTION_CHARS_MAX).collect::<String>().into()
}

#[cfg(test)]
mod tests;
