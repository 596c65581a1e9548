//! Workload identities: SPIFFE ids, and which kind of party each one names.
//!
//! In: the URI SAN of a certificate, or configuration. Out: a [`SpiffeId`] and its [`Party`].
//! Source: the SPIFFE-ID standard (trust domain: `[a-z0-9._-]`, no port, no query, no empty or dot segments).
//! Invariant: an id whose path does not name a party we know is refused, so it can never be granted anything.

use std::fmt;
use std::str::FromStr;

use crate::name::{AgentName, BadName, NodeId};

/// The authority part of a SPIFFE id; all certificates of one mesh share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrustDomain(String);

/// Who an identity stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// `/agent/<name>`: the proxy of one agent; it may register that agent and no other.
    Agent(AgentName),
    /// `/node/<name>`: a proxy in front of several agents of one machine; it may register any agent.
    Node(NodeId),
    /// `/operator/<name>`: a person or a script; it may read and watch, never register.
    Operator(NodeId),
    /// `/control`: the control service.
    Control,
}

/// `spiffe://<trust domain>/<party>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    pub domain: TrustDomain,
    pub party: Party,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadIdentity {
    #[error("trust domain `{0}` must be 1 to 255 characters of a-z, 0-9, `.`, `-` and `_`")]
    Domain(String),
    #[error(
        "identity `{0}` must look like spiffe://<domain>/agent/<name>, …/node/<name>, …/operator/<name> or …/control"
    )]
    Shape(String),
    #[error("identity names a party badly")]
    Name(#[from] BadName),
}

impl TrustDomain {
    pub fn new(text: &str) -> Result<Self, BadIdentity> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
        if text.is_empty() || text.len() > 255 || !text.bytes().all(fits) {
            return Err(BadIdentity::Domain(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SpiffeId {
    /// The identity of the proxy beside an agent.
    pub fn agent(domain: TrustDomain, name: AgentName) -> Self {
        Self { domain, party: Party::Agent(name) }
    }

    pub fn control(domain: TrustDomain) -> Self {
        Self { domain, party: Party::Control }
    }

    /// Whether the holder of this identity may speak for `agent` to control.
    pub fn may_register(&self, agent: &AgentName) -> bool {
        match &self.party {
            Party::Agent(own) => own == agent,
            Party::Node(_) => true,
            Party::Operator(_) | Party::Control => false,
        }
    }
}

impl FromStr for SpiffeId {
    type Err = BadIdentity;

    fn from_str(text: &str) -> Result<Self, BadIdentity> {
        let shape = || BadIdentity::Shape(text.to_owned());
        let rest = text.strip_prefix("spiffe://").ok_or_else(shape)?;
        let (domain, path) = rest.split_once('/').ok_or_else(shape)?;
        let party = match path.split_once('/') {
            Some(("agent", name)) => Party::Agent(AgentName::new(name)?),
            Some(("node", name)) => Party::Node(NodeId::new(name)?),
            Some(("operator", name)) => Party::Operator(NodeId::new(name)?),
            None if path == "control" => Party::Control,
            _ => return Err(shape()),
        };
        Ok(Self { domain: TrustDomain::new(domain)?, party })
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "spiffe://{}/", self.domain)?;
        match &self.party {
            Party::Agent(name) => write!(out, "agent/{name}"),
            Party::Node(name) => write!(out, "node/{name}"),
            Party::Operator(name) => write!(out, "operator/{name}"),
            Party::Control => out.write_str("control"),
        }
    }
}

#[cfg(test)]
mod tests;
