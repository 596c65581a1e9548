//! What a proxy claims about the replicas it fronts, and whether the claim is taken.
//!
//! In: one [`Claim`] as it was sent, and the [`Sender`] as its connection proves it. Out: a [`Reported`], or a [`Refusal`].
//! Never here: protobuf; who else holds the replica id (the registry knows).
//! Invariant: what is taken has capabilities sorted by name without duplicates, and always one named after the agent.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use outrigger_model::address::{self, Cidr};
use outrigger_model::calls::{BadCalls, Calls, WrittenCalls};
use outrigger_model::capability::{Capability, TOOL_NAME_BYTES_MAX, TOOLS_MAX, Tool, ToolHints};
use outrigger_model::digest::Digest;
use outrigger_model::endpoint::{ZONE_BYTES_MAX, is_zone};
use outrigger_model::identity::SpiffeId;
use outrigger_model::name::{AgentName, CapabilityName, Namespace, NodeId, ReplicaId};
use outrigger_model::registration::Registration;
use outrigger_model::replica::{CAPABILITIES_MAX, Generation, Replica};
use outrigger_model::revision::Revision;
use outrigger_model::tag::TagSet;
use semver::Version;

use crate::event::one_line;

/// Most replicas in one report.
pub const REPLICAS_PER_REPORT_MAX: usize = 1_000;
/// Most tools of one replica, over all its capabilities.
pub const TOOLS_PER_REPLICA_MAX: usize = 4 * TOOLS_MAX;
/// Longest text about what troubles a replica.
pub const TROUBLE_BYTES_MAX: usize = 256;
const REVISIONS_MAX: usize = 16;
const WEIGHT_DEFAULT: u16 = 100;

/// One replica as a report writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim {
    pub id: String,
    pub agent: String,
    pub semver: String,
    pub tags: Vec<String>,
    pub address: String,
    pub generation: u64,
    pub revisions: Vec<String>,
    /// 0 stands for the default of 100.
    pub weight: u32,
    /// Whether the agent itself answers its probe.
    pub serving: bool,
    pub trouble: String,
    pub zone: String,
    /// Empty: `default`.
    pub namespace: String,
    pub capabilities: Vec<ClaimedCapability>,
    /// As it was read, or why it could not be; what is offered in it stands in `capabilities`, too.
    pub registration: Option<Result<Arc<Registration>, String>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimedCapability {
    pub name: String,
    pub semver: String,
    pub tags: Vec<String>,
    pub tools: Vec<ClaimedTool>,
    pub session_required: bool,
    pub calls: WrittenCalls,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimedTool {
    pub name: String,
    /// 32 bytes of SHA-256.
    pub schema: Vec<u8>,
    pub hints: ToolHints,
}

/// Who reports: what its connection proves, not what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub node: NodeId,
    /// None only where plaintext is allowed.
    pub identity: Option<SpiffeId>,
    pub from: IpAddr,
}

/// A claim that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    pub replica: Replica,
    pub serving: bool,
    pub trouble: String,
}

/// Why one replica of a report was not taken. The others were.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct Refusal {
    pub replica: String,
    pub reason: Reason,
    /// Such as `replicas[0].address`.
    pub field: String,
    /// What is wrong and what to do.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    Address,
    Identity,
    Name,
    Conflict,
    Limit,
    Shape,
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Identity => "identity",
            Self::Name => "name",
            Self::Conflict => "conflict",
            Self::Limit => "limit",
            Self::Shape => "shape",
        }
    }
}

/// Judges the claim at position `at` of a report.
pub fn admit(at: usize, claim: Claim, sender: &Sender, networks: &[Cidr]) -> Result<Reported, Refusal> {
    let judge = Judge { at, replica: one_line(&claim.id, 128) };
    let id = ReplicaId::new(&claim.id).map_err(|error| judge.no(Reason::Name, "id", &error))?;
    let agent = AgentName::new(&claim.agent).map_err(|error| judge.no(Reason::Name, "agent", &error))?;
    judge.identity(sender, &agent)?;
    let address: SocketAddr = claim
        .address
        .parse()
        .map_err(|_| judge.no(Reason::Address, "address", &"is not an address such as 10.0.0.5:17006"))?;
    address::judge(address, sender.from, networks).map_err(|error| judge.no(Reason::Address, "address", &error))?;
    let version = judge.version("semver", &claim.semver)?;
    let tags = TagSet::parse(&claim.tags).map_err(|error| judge.no(Reason::Shape, "tags", &error))?;
    let capabilities = judge.capabilities(claim.capabilities, &agent, &version, &tags)?;
    let replica = Replica {
        id,
        agent,
        node: sender.node.clone(),
        version,
        tags,
        address,
        identity: sender.identity.clone(),
        generation: Generation(claim.generation),
        revisions: judge.revisions(&claim.revisions)?,
        weight: judge.weight(claim.weight)?,
        zone: judge.zone(claim.zone)?,
        namespace: judge.namespace(&claim.namespace)?,
        capabilities,
        registration: judge.registration(claim.registration)?,
    };
    Ok(Reported { replica, serving: claim.serving, trouble: one_line(&claim.trouble, TROUBLE_BYTES_MAX) })
}

/// Reads the fields of one claim, and says no in the words of that claim.
struct Judge {
    at: usize,
    replica: String,
}

impl Judge {
    fn no(&self, reason: Reason, field: &str, detail: &dyn std::fmt::Display) -> Refusal {
        Refusal {
            replica: self.replica.clone(),
            reason,
            field: format!("replicas[{}].{field}", self.at),
            detail: one_line(&detail.to_string(), crate::event::DETAIL_BYTES_MAX),
        }
    }

    fn identity(&self, sender: &Sender, agent: &AgentName) -> Result<(), Refusal> {
        match &sender.identity {
            Some(identity) if !identity.may_register(agent) => {
                let detail = format!(
                    "{identity} may not register agent `{agent}`; issue the proxy a certificate for …/agent/{agent} or …/node/<name>"
                );
                Err(self.no(Reason::Identity, "agent", &detail))
            }
            _ => Ok(()),
        }
    }

    fn version(&self, field: &str, text: &str) -> Result<Version, Refusal> {
        Version::parse(text).map_err(|error| {
            self.no(Reason::Shape, field, &format!("`{text}` is not a version such as 1.2.0: {error}"))
        })
    }

    fn weight(&self, weight: u32) -> Result<u16, Refusal> {
        match u16::try_from(weight) {
            Ok(0) => Ok(WEIGHT_DEFAULT),
            Ok(weight) if weight <= 1_000 => Ok(weight),
            _ => Err(self.no(Reason::Shape, "weight", &format!("{weight} is not within 1 to 1000"))),
        }
    }

    fn zone(&self, zone: String) -> Result<String, Refusal> {
        if is_zone(&zone) {
            return Ok(zone);
        }
        let detail = format!("is not a zone of at most {ZONE_BYTES_MAX} visible ASCII characters");
        Err(self.no(Reason::Shape, "zone", &detail))
    }

    fn namespace(&self, text: &str) -> Result<Namespace, Refusal> {
        if text.is_empty() {
            return Ok(Namespace::default());
        }
        Namespace::new(text).map_err(|error| self.no(Reason::Name, "namespace", &error))
    }

    fn registration(
        &self,
        read: Option<Result<Arc<Registration>, String>>,
    ) -> Result<Option<Arc<Registration>>, Refusal> {
        read.transpose().map_err(|detail| self.no(Reason::Shape, "registration", &detail))
    }

    fn revisions(&self, texts: &[String]) -> Result<Vec<Revision>, Refusal> {
        if texts.len() > REVISIONS_MAX {
            return Err(self.no(Reason::Limit, "revisions", &format!("more than {REVISIONS_MAX} revisions")));
        }
        let parse = |text: &String| text.parse().map_err(|error| self.no(Reason::Shape, "revisions", &error));
        let mut revisions = texts.iter().map(parse).collect::<Result<Vec<Revision>, _>>()?;
        revisions.sort_unstable();
        revisions.dedup();
        Ok(revisions)
    }

    fn capabilities(
        &self,
        claimed: Vec<ClaimedCapability>,
        agent: &AgentName,
        version: &Version,
        tags: &TagSet,
    ) -> Result<Vec<Capability>, Refusal> {
        if claimed.len() >= CAPABILITIES_MAX {
            let detail = format!("{} capabilities; a replica may have {CAPABILITIES_MAX}", claimed.len());
            return Err(self.no(Reason::Limit, "capabilities", &detail));
        }
        let tools: usize = claimed.iter().map(|capability| capability.tools.len()).sum();
        if tools > TOOLS_PER_REPLICA_MAX {
            let detail = format!("{tools} tools over all capabilities; a replica may have {TOOLS_PER_REPLICA_MAX}");
            return Err(self.no(Reason::Limit, "capabilities", &detail));
        }
        let mut taken = Vec::with_capacity(claimed.len() + 1);
        for (index, capability) in claimed.into_iter().enumerate() {
            taken.push(self.capability(index, capability)?);
        }
        taken.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some([twice, _]) = taken.array_windows().find(|[a, b]| a.name == b.name) {
            let detail = format!("capability `{}` is there twice", twice.name);
            return Err(self.no(Reason::Shape, "capabilities", &detail));
        }
        let own = CapabilityName::new(agent.as_str()).map_err(|error| self.no(Reason::Name, "agent", &error))?;
        if let Err(place) = taken.binary_search_by(|capability| capability.name.cmp(&own)) {
            let tools = all_tools(&taken);
            let (version, tags) = (version.clone(), tags.clone());
            taken.insert(
                place,
                Capability { name: own, version, tags, tools, session_required: false, calls: Calls::default() },
            );
        }
        Ok(taken)
    }

    fn capability(&self, index: usize, claimed: ClaimedCapability) -> Result<Capability, Refusal> {
        let field = |name: &str| format!("capabilities[{index}].{name}");
        let name = CapabilityName::new(&claimed.name).map_err(|error| self.no(Reason::Name, &field("name"), &error))?;
        let version = self.version(&field("semver"), &claimed.semver)?;
        let tags = TagSet::parse(&claimed.tags).map_err(|error| self.no(Reason::Shape, &field("tags"), &error))?;
        if claimed.tools.len() > TOOLS_MAX {
            return Err(self.no(Reason::Limit, &field("tools"), &format!("more than {TOOLS_MAX} tools")));
        }
        let mut tools = Vec::with_capacity(claimed.tools.len());
        for (at, tool) in claimed.tools.into_iter().enumerate() {
            let field = |name: &str| field(&format!("tools[{at}].{name}"));
            if tool.name.is_empty() || tool.name.len() > TOOL_NAME_BYTES_MAX {
                let detail = format!("a tool name has 1 to {TOOL_NAME_BYTES_MAX} bytes");
                return Err(self.no(Reason::Shape, &field("name"), &detail));
            }
            let schema = Digest::from_bytes(&tool.schema)
                .ok_or_else(|| self.no(Reason::Shape, &field("schema_digest"), &"is not 32 bytes of SHA-256"))?;
            tools.push(Tool { name: tool.name, schema, hints: tool.hints });
        }
        tools.sort_unstable();
        tools.dedup_by(|a, b| a.name == b.name);
        let calls =
            claimed.calls.try_into().map_err(|error: BadCalls| self.no(Reason::Shape, &field("calls"), &error))?;
        Ok(Capability { name, version, tags, tools, session_required: claimed.session_required, calls })
    }
}

/// The tools of all capabilities, each once.
fn all_tools(capabilities: &[Capability]) -> Vec<Tool> {
    let mut tools: Vec<Tool> = capabilities.iter().flat_map(|capability| capability.tools.iter().cloned()).collect();
    tools.sort_unstable();
    tools.dedup_by(|a, b| a.name == b.name);
    tools.truncate(TOOLS_MAX);
    tools
}

#[cfg(test)]
mod tests;
