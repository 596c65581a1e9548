//! The local agents as they are written: names, versions, URLs, default replica ids.
//!
//! In: `agents:` of the file, a seed for default ids, the folder that relative paths start in. Out: [`AgentSettings`].
//! Invariant: no two agents of one proxy are the same replica; no capability of an agent is declared twice.

use std::collections::BTreeSet;
use std::path::Path;

use outrigger_config::ConfigError;
use outrigger_model::calls::Calls;
use outrigger_model::digest::Digest;
use outrigger_model::endpoint::{ZONE_BYTES_MAX, is_zone};
use outrigger_model::name::{AgentName, BadName, CapabilityName, ReplicaId};
use outrigger_model::tag::TagSet;
use semver::Version;

use super::calls;
use super::file::{AgentFile, CapabilityFile};
use super::probe::probe;
use super::settings::{AgentSettings, AgentUrl, DeclaredCapability};
use super::value::{at_most, parsed, refused, within};

/// The share of new calls of a replica of which nothing is said.
const WEIGHT: u16 = 100;

/// The local agents, each with its own replica id.
pub(super) fn agents(
    files: &[AgentFile],
    seed: &str,
    zone: &str,
    folder: &Path,
) -> Result<Vec<AgentSettings>, ConfigError> {
    at_most("agents", files)?;
    let mut seen = BTreeSet::new();
    let mut agents = Vec::with_capacity(files.len());
    for (at, file) in files.iter().enumerate() {
        let agent = agent(file, &format!("agents[{at}]"), seed, zone, folder)?;
        if !seen.insert(agent.replica.clone()) {
            return Err(ConfigError::contradiction(
                format!("agents[{at}].replica"),
                format!("`{}` is the id of an agent above, too", agent.replica),
                "give each its own `replica`, or remove one",
            ));
        }
        agents.push(agent);
    }
    Ok(agents)
}

fn agent(file: &AgentFile, path: &str, seed: &str, zone: &str, folder: &Path) -> Result<AgentSettings, ConfigError> {
    let at = |key: &str| format!("{path}.{key}");
    let name: AgentName = parsed(&at("name"), &file.name)?;
    let url = agent_url(&at("url"), &file.url)?;
    let replica: ReplicaId = match &file.replica {
        Some(replica) => parsed(&at("replica"), replica)?,
        None => default_replica(&name, &url, seed).map_err(|error| ConfigError::value(at("replica"), &error))?,
    };
    let version: Version =
        file.version.as_deref().map_or(Ok(Version::new(0, 0, 0)), |text| parsed(&at("version"), text))?;
    let tags = TagSet::parse(&file.tags).map_err(|error| ConfigError::value(at("tags"), &error))?;
    let calls = calls::of_agent(file, path)?;
    at_most(&at("capabilities"), &file.capabilities)?;
    let mut capabilities: Vec<DeclaredCapability> = Vec::new();
    for (index, written) in file.capabilities.iter().enumerate() {
        let declared = capability(written, &at(&format!("capabilities[{index}]")), &version, &tags, &calls)?;
        if capabilities.iter().any(|other| other.name == declared.name) {
            let detail = format!("`{}` is declared twice", declared.name);
            return Err(ConfigError::contradiction(
                at(&format!("capabilities[{index}].name")),
                detail,
                "merge the two",
            ));
        }
        capabilities.push(declared);
    }
    let weight = weight(file, path)?;
    let probe = probe(&file.probe, file.health_check.as_deref(), path, &url, folder)?;
    let zone = zone.to_owned();
    Ok(AgentSettings { name, url, replica, version, tags, weight, zone, capabilities, probe, calls })
}

/// As it is written, or as a capacity, of which one is what every replica has by itself.
fn weight(file: &AgentFile, path: &str) -> Result<u16, ConfigError> {
    let at = format!("{path}.metadata.capacity");
    match (file.weight, file.metadata.capacity) {
        (Some(_), Some(_)) => {
            let detail = "`weight` says the same in hundredths";
            Err(ConfigError::contradiction(at, detail.to_owned(), "keep one of the two"))
        }
        (None, Some(capacity)) if (0.01..=10.0).contains(&capacity) => Ok(hundredths(capacity)),
        (None, Some(capacity)) => Err(refused(at, format!("{capacity} is not within 0.01 to 10"))),
        (weight, None) => within(&format!("{path}.weight"), weight, 1..=1_000, WEIGHT),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 0.01 to 10")]
fn hundredths(capacity: f64) -> u16 {
    ((capacity * f64::from(WEIGHT)).round() as u16).clamp(1, 1_000)
}

/// Where the proxy runs.
pub(super) fn zone(text: Option<String>) -> Result<String, ConfigError> {
    let zone = text.unwrap_or_default();
    if is_zone(&zone) {
        return Ok(zone);
    }
    Err(refused("zone", format!("`{zone}` is not a name of at most {ZONE_BYTES_MAX} visible ASCII characters")))
}

fn capability(
    file: &CapabilityFile,
    path: &str,
    version: &Version,
    tags: &TagSet,
    calls: &Calls,
) -> Result<DeclaredCapability, ConfigError> {
    let name: CapabilityName = parsed(&format!("{path}.name"), &file.name)?;
    let version = match &file.version {
        Some(text) => parsed(&format!("{path}.version"), text)?,
        None => version.clone(),
    };
    let tags = match &file.tags {
        Some(texts) => TagSet::parse(texts).map_err(|error| ConfigError::value(format!("{path}.tags"), &error))?,
        None => tags.clone(),
    };
    let session_required = file.session_required || file.stateful;
    if session_required && file.tools.is_empty() {
        let detail = "a capability that needs sessions holds no tools";
        return Err(ConfigError::contradiction(
            format!("{path}.tools"),
            detail.to_owned(),
            "name the tools whose calls carry `session_id`",
        ));
    }
    let calls = calls::of_capability(file, calls, path)?;
    Ok(DeclaredCapability { name, version, tags, tools: file.tools.clone(), session_required, calls })
}

fn agent_url(path: &str, text: &str) -> Result<AgentUrl, ConfigError> {
    let example = "write it like http://127.0.0.1:8081/mcp";
    let uri: http::Uri = text.parse().map_err(|_| refused(path, format!("`{text}` is not a URL; {example}")))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => {
            let detail = "the hop to the own agent is plain HTTP; put the proxy beside the agent and use http://";
            return Err(refused(path, detail));
        }
        _ => return Err(refused(path, format!("`{text}` does not start with http://; {example}"))),
    }
    let authority = uri.authority().ok_or_else(|| refused(path, format!("`{text}` names no host; {example}")))?;
    if authority.as_str().contains('@') {
        return Err(refused(path, "user and password in a URL are not supported; remove them"));
    }
    let port = authority.port_u16().unwrap_or(80);
    if authority.host().is_empty() || port == 0 {
        return Err(refused(path, format!("`{text}` names no host or port; {example}")));
    }
    let path_and_query = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
    Ok(AgentUrl { host: authority.host().to_owned(), port, path_and_query })
}

/// Stable over restarts, distinct between machines and between agents of one machine.
fn default_replica(name: &AgentName, url: &AgentUrl, seed: &str) -> Result<ReplicaId, BadName> {
    let digest = Digest::of_parts([seed.as_bytes(), url.to_string().as_bytes()]).to_string();
    ReplicaId::new(&format!("{name}-{}", digest.get(..8).unwrap_or_default()))
}
