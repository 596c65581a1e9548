//! Which replica a call through control is for.
//!
//! In: `host:port/mcp` or `host:port/agents/{id}/mcp`, and the facts. Out: the replica and the path there, or why there is none.
//! Never here: connections.
//! Invariant: nothing but the MCP endpoint of a registered replica is reached, whatever is written.

use std::net::SocketAddr;
use std::sync::Arc;

use outrigger_control_core::facts::Facts;
use outrigger_model::name::ReplicaId;
use outrigger_model::replica::Replica;

use crate::upstream::resolved::written;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub replica: Arc<Replica>,
    /// With the query, if there is one.
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    #[error("Invalid target format: missing path. Expected format: {{host}}:{{port}}/mcp/{{path}}")]
    NoPath,
    #[error("Only /mcp/* paths are allowed for proxying")]
    Path,
    #[error("Target host '{0}' is not a registered agent")]
    Unknown(String),
    #[error("several agents are behind '{0}'; name one as in /proxy/{0}/agents/{{id}}/mcp")]
    Several(String),
}

impl Target {
    /// `rest` is what follows `/proxy/`.
    pub fn find(facts: &Facts, rest: &str, query: Option<&str>) -> Result<Self, NoTarget> {
        let rest = ["http://", "https://", "http:/", "https:/"]
            .iter()
            .find_map(|scheme| rest.strip_prefix(scheme))
            .unwrap_or(rest);
        let (place, path) = rest.split_once('/').ok_or(NoTarget::NoPath)?;
        let (named, path) = match path.strip_prefix("agents/").and_then(|path| path.split_once('/')) {
            Some((id, path)) => (Some(id), path),
            None => (None, path),
        };
        if !is_endpoint(path) {
            return Err(NoTarget::Path);
        }
        let replica = at(facts, place, named)?;
        let root = if replica.is_direct() { String::new() } else { format!("/agents/{}", replica.id) };
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        Ok(Self { path: format!("{root}/{path}{query}"), replica: Arc::clone(replica) })
    }
}

/// `mcp` or something below it, and no way out of there.
fn is_endpoint(path: &str) -> bool {
    let mut segments = path.split('/');
    segments.next() == Some("mcp") && segments.all(|segment| !matches!(segment, "." | ".."))
}

fn at<'a>(facts: &'a Facts, place: &str, named: Option<&str>) -> Result<&'a Arc<Replica>, NoTarget> {
    let shown = || place.chars().take(256).collect::<String>();
    if let Some(id) = named {
        let standing = ReplicaId::new(id).ok().and_then(|id| facts.get(&id));
        let found = standing.map(|standing| &standing.replica).filter(|replica| is_at(replica, place));
        return found.ok_or_else(|| NoTarget::Unknown(shown()));
    }
    let mut all = facts.standings().map(|standing| &standing.replica).filter(|replica| is_at(replica, place));
    match (all.next(), all.next()) {
        (Some(replica), None) => Ok(replica),
        (Some(_), Some(_)) => Err(NoTarget::Several(shown())),
        (None, _) => Err(NoTarget::Unknown(shown())),
    }
}

/// By the address that was judged, or as the agent wrote it.
fn is_at(replica: &Replica, place: &str) -> bool {
    let is_address = place.parse::<SocketAddr>().is_ok_and(|address| address == replica.address);
    let is_written = || {
        let registration = replica.registration.as_ref().filter(|_| replica.is_direct());
        registration.is_some_and(|registration| written(registration, replica.address).eq_ignore_ascii_case(place))
    };
    is_address || is_written()
}

#[cfg(test)]
mod tests;
