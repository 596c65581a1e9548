//! One replica as a row: its facts as JSON that people can read, and a hash over the whole row; and one revocation.
//!
//! In: a [`Standing`] or a [`Revoked`], or a row as it was read. Out: the other, or why the row cannot be believed.
//! Invariant: a row is believed only if its hash covers exactly what it says; every value is parsed again on the way in.

use std::sync::Arc;

use outrigger_control_core::facts::Standing;
use outrigger_control_core::revocation::{Revoked, Target};
use outrigger_model::calls::{Calls, WrittenCalls};
use outrigger_model::capability::{Capability, Tool, ToolHints};
use outrigger_model::digest::Digest;
use outrigger_model::name::{AgentName, BadName, CapabilityName, Namespace, NodeId, ReplicaId};
use outrigger_model::registration::Registration;
use outrigger_model::replica::{Generation, Replica};
use outrigger_model::tag::TagSet;
use outrigger_upstream::heartbeat::{BadHeartbeat, Heartbeat};
use semver::Version;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ReplicaRow {
    pub id: String,
    pub node: String,
    pub agent: String,
    pub state: String,
    pub trouble: String,
    pub facts: String,
    pub hash: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RevocationRow {
    pub kind: String,
    pub name: String,
    pub at: i64,
    pub reason: String,
    pub hash: Vec<u8>,
}

/// Why a row is set aside. The text is shown to people and holds no content of the row.
#[derive(Debug, thiserror::Error)]
pub enum BadRow {
    #[error("its content does not match its hash")]
    Hash,
    #[error("its facts are unreadable")]
    Json(#[from] serde_json::Error),
    #[error("its field `{0}` is unreadable")]
    Field(&'static str),
}

#[derive(Serialize, Deserialize)]
struct FactsJson {
    version: String,
    tags: Vec<String>,
    address: String,
    identity: Option<String>,
    generation: u64,
    revisions: Vec<String>,
    weight: u16,
    /// Rows of versions before it have none.
    #[serde(default)]
    zone: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    namespace: String,
    capabilities: Vec<CapabilityJson>,
    /// The body of a heartbeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registration: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct CapabilityJson {
    name: String,
    version: String,
    tags: Vec<String>,
    tools: Vec<ToolJson>,
    /// Rows of versions before it have none.
    #[serde(default)]
    session_required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calls: Option<CallsJson>,
}

#[derive(Serialize, Deserialize)]
struct CallsJson {
    timeout_ms: Option<u32>,
    retry_count: Option<u32>,
    headers: Vec<(String, String)>,
    streaming: bool,
}

#[derive(Serialize, Deserialize)]
struct ToolJson {
    name: String,
    schema: String,
    read_only: bool,
    idempotent: bool,
    destructive: bool,
}

impl ReplicaRow {
    pub fn of(standing: &Standing) -> Result<Self, BadRow> {
        let replica = &standing.replica;
        let mut row = Self {
            id: replica.id.to_string(),
            node: replica.node.to_string(),
            agent: replica.agent.to_string(),
            state: standing.state.to_string(),
            trouble: standing.trouble.to_string(),
            facts: serde_json::to_string(&facts_of(replica))?,
            hash: Vec::new(),
        };
        row.hash = row.digest().as_bytes().to_vec();
        Ok(row)
    }

    pub fn standing(self) -> Result<Standing, BadRow> {
        if self.digest().as_bytes().as_slice() != self.hash {
            return Err(BadRow::Hash);
        }
        let facts: FactsJson = serde_json::from_str(&self.facts)?;
        let texts = facts.revisions.iter();
        let replica = Replica {
            id: read("id", ReplicaId::new(&self.id))?,
            agent: read("agent", AgentName::new(&self.agent))?,
            node: read("node", NodeId::new(&self.node))?,
            version: read("version", Version::parse(&facts.version))?,
            tags: read("tags", TagSet::parse(&facts.tags))?,
            address: read("address", facts.address.parse())?,
            identity: read("identity", facts.identity.map(|text| text.parse()).transpose())?,
            generation: Generation(facts.generation),
            revisions: read("revisions", texts.map(|text| text.parse()).collect::<Result<_, _>>())?,
            weight: facts.weight,
            zone: facts.zone,
            namespace: read("namespace", namespace(&facts.namespace))?,
            capabilities: facts.capabilities.into_iter().map(capability).collect::<Result<_, _>>()?,
            registration: read("registration", facts.registration.as_deref().map(registration).transpose())?,
        };
        let state = read("state", self.state.parse())?;
        Ok(Standing { replica: Arc::new(replica), state, trouble: self.trouble.into() })
    }

    fn digest(&self) -> Digest {
        let Self { id, node, agent, state, trouble, facts, hash: _ } = self;
        Digest::of_parts([id, node, agent, state, trouble, facts].map(|text| text.as_bytes()))
    }
}

impl RevocationRow {
    pub fn of(revoked: &Revoked) -> Self {
        let Revoked { target, at, reason } = revoked;
        let mut row = Self {
            kind: target.kind().to_owned(),
            name: target.name(),
            at: i64::try_from(*at).unwrap_or(i64::MAX),
            reason: reason.clone(),
            hash: Vec::new(),
        };
        row.hash = row.digest().as_bytes().to_vec();
        row
    }

    pub fn revoked(self) -> Result<Revoked, BadRow> {
        if self.digest().as_bytes().as_slice() != self.hash {
            return Err(BadRow::Hash);
        }
        let target = read("name", Target::parse(&self.kind, &self.name))?;
        Ok(Revoked { target, at: read("at", u64::try_from(self.at))?, reason: self.reason })
    }

    fn digest(&self) -> Digest {
        let Self { kind, name, at, reason, hash: _ } = self;
        Digest::of_parts([kind.as_bytes(), name.as_bytes(), &at.to_be_bytes(), reason.as_bytes()])
    }
}

fn read<T, E>(field: &'static str, parsed: Result<T, E>) -> Result<T, BadRow> {
    parsed.map_err(|_| BadRow::Field(field))
}

/// Rows of versions before it have none.
fn namespace(text: &str) -> Result<Namespace, BadName> {
    if text.is_empty() { Ok(Namespace::default()) } else { Namespace::new(text) }
}

fn registration(body: &str) -> Result<Arc<Registration>, BadHeartbeat> {
    Heartbeat::read(body.as_bytes()).map(|heartbeat| Arc::new(heartbeat.registration))
}

fn texts(tags: &TagSet) -> Vec<String> {
    tags.iter().map(ToString::to_string).collect()
}

fn facts_of(replica: &Replica) -> FactsJson {
    FactsJson {
        version: replica.version.to_string(),
        tags: texts(&replica.tags),
        address: replica.address.to_string(),
        identity: replica.identity.as_ref().map(ToString::to_string),
        generation: replica.generation.0,
        revisions: replica.revisions.iter().map(ToString::to_string).collect(),
        weight: replica.weight,
        zone: replica.zone.clone(),
        namespace: if replica.namespace == Namespace::default() {
            String::new()
        } else {
            replica.namespace.to_string()
        },
        registration: replica.registration.as_ref().map(|registration| registration.raw.to_string()),
        capabilities: replica.capabilities.iter().map(capability_of).collect(),
    }
}

fn capability_of(capability: &Capability) -> CapabilityJson {
    let tool = |tool: &Tool| ToolJson {
        name: tool.name.clone(),
        schema: tool.schema.to_string(),
        read_only: tool.hints.read_only,
        idempotent: tool.hints.idempotent,
        destructive: tool.hints.destructive,
    };
    CapabilityJson {
        name: capability.name.to_string(),
        version: capability.version.to_string(),
        tags: texts(&capability.tags),
        tools: capability.tools.iter().map(tool).collect(),
        session_required: capability.session_required,
        calls: calls_of(&capability.calls),
    }
}

fn capability(json: CapabilityJson) -> Result<Capability, BadRow> {
    let tool = |json: ToolJson| -> Result<Tool, BadRow> {
        let schema = hex::decode(&json.schema).ok().and_then(|bytes| Digest::from_bytes(&bytes));
        let ToolJson { name, schema: _, read_only, idempotent, destructive } = json;
        let hints = ToolHints { read_only, idempotent, destructive };
        Ok(Tool { name, schema: schema.ok_or(BadRow::Field("tools.schema"))?, hints })
    };
    Ok(Capability {
        name: read("capabilities.name", CapabilityName::new(&json.name))?,
        version: read("capabilities.version", Version::parse(&json.version))?,
        tags: read("capabilities.tags", TagSet::parse(&json.tags))?,
        tools: json.tools.into_iter().map(tool).collect::<Result<_, _>>()?,
        session_required: json.session_required,
        calls: read("capabilities.calls", json.calls.map(calls).unwrap_or_default().try_into())?,
    })
}

/// Nothing where nothing is asked for.
fn calls_of(calls: &Calls) -> Option<CallsJson> {
    let WrittenCalls { timeout_ms, retry_count, headers, streaming } = calls.written();
    (!calls.is_usual()).then_some(CallsJson { timeout_ms, retry_count, headers, streaming })
}

fn calls(json: CallsJson) -> WrittenCalls {
    let CallsJson { timeout_ms, retry_count, headers, streaming } = json;
    WrittenCalls { timeout_ms, retry_count, headers, streaming }
}
