//! One dependency as an agent without a proxy is told of it: who provides it, and at which URL.
//!
//! In: facts and a requirement. Out: a [`Resolved`]; equal ones are told alike.
//! Never here: which provider is the best; the core says that.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use outrigger_control_core::facts::Facts;
use outrigger_control_core::resolve::wiring::wiring;
use outrigger_model::name::{ReplicaId, RouteName};
use outrigger_model::registration::Registration;
use outrigger_model::replica::Replica;
use outrigger_model::requirement::Requirement;
use outrigger_model::wiring::{Provider, Wiring};
use outrigger_upstream::answer::Wirings;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    pub wiring: Wiring,
    /// One per provider; empty where it cannot be called.
    pub endpoints: Vec<String>,
}

impl Resolved {
    pub fn of(facts: &Facts, route: &RouteName, requirement: &Requirement) -> Self {
        let wiring = wiring(facts, route, requirement);
        let endpoint = |provider: &Provider| {
            facts.get(&provider.replica).map(|standing| base_url(&standing.replica)).unwrap_or_default()
        };
        let endpoints = wiring.providers.iter().map(endpoint).collect();
        Self { wiring, endpoints }
    }

    /// Its providers that may be called, each with its URL.
    pub fn callable(&self) -> impl Iterator<Item = (&Provider, &str)> {
        let all = self.wiring.providers.iter().zip(&self.endpoints);
        all.filter(|(provider, url)| provider.callable && !url.is_empty())
            .map(|(provider, url)| (provider, url.as_str()))
    }
}

/// To which callers append `/mcp`: the agent itself, or its place behind the inbound listener of its proxy.
pub fn base_url(replica: &Replica) -> String {
    match (&replica.registration, replica.is_direct()) {
        (Some(registration), true) => format!("http://{}", written(registration, replica.address)),
        (None, true) => format!("http://{}", replica.address),
        (_, false) => {
            let scheme = if replica.identity.is_some() { "https" } else { "http" };
            format!("{scheme}://{}/agents/{}", replica.address, replica.id)
        }
    }
}

/// As the agent wrote it: other hosts may know another address under its name.
pub fn written(registration: &Registration, address: SocketAddr) -> String {
    match (&*registration.host, registration.port) {
        ("", _) | (_, 0) => address.to_string(),
        (host, port) if host.contains(':') && !host.starts_with('[') => format!("[{host}]:{port}"),
        (host, port) => format!("{host}:{port}"),
    }
}

/// What one agent is answered from.
#[derive(Debug)]
pub struct Answering<'a> {
    pub id: &'a ReplicaId,
    pub agent: &'a str,
    pub resolved: BTreeMap<&'a RouteName, &'a Arc<Resolved>>,
}

impl Wirings for Answering<'_> {
    fn wiring(&self, route: &RouteName) -> Option<&Wiring> {
        self.resolved.get(route).map(|resolved| &resolved.wiring)
    }

    fn endpoint(&self, _function: &str, route: &RouteName, provider: &Provider, _many: bool) -> String {
        let resolved = self.resolved.get(route);
        let mut all =
            resolved.into_iter().flat_map(|resolved| resolved.wiring.providers.iter().zip(&resolved.endpoints));
        let is_it = |other: &Provider| other.replica == provider.replica && other.function == provider.function;
        all.find(|(other, _)| is_it(other)).map(|(_, url)| url.clone()).unwrap_or_default()
    }

    fn agent_id(&self, provider: &Provider) -> String {
        provider.replica.to_string()
    }

    fn is_own(&self, provider: &Provider) -> bool {
        provider.replica == *self.id || provider.agent.as_str() == self.agent
    }
}
