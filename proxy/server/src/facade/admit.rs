//! Whether an agent that registers itself may join, and where it is.
//!
//! In: a heartbeat, what is allowed here, who is here already. Out: the settings of an own agent, or why it is none.
//! Never here: an address of anywhere else than this machine. A name other than `localhost` is no address: who resolves it may say
//! something else at every look.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use outrigger_model::calls::Calls;
use outrigger_model::name::BadName;
use outrigger_model::registration::AgentKind;
use outrigger_model::tag::TagSet;
use outrigger_upstream::heartbeat::Heartbeat;

use crate::config::settings::{AgentSettings, AgentUrl, Check, Facade, Page, Probe};

/// An agent of mcp-mesh says itself whether it is well, and that is heard within a second.
const INTERVAL: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(2);
const UNHEALTHY_AFTER: u32 = 2;
const ENDPOINT: &str = "/mcp";
const HEALTH: &str = "/health";

/// What an agent is told that may not join.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotHere {
    #[error("agents cannot join through this proxy: facade.enabled is false")]
    Off,
    #[error("a dependency has no name that a route could have")]
    Need(#[from] BadName),
    #[error(
        "http_host `{0}` is not loopback; start the agent beside its proxy with HOST=127.0.0.1 and MCP_MESH_HTTP_HOST=127.0.0.1, or list an address of this machine under facade.allow_hosts of the proxy"
    )]
    Host(String),
    #[error("http_host `{0}` is listed under facade.allow_hosts, and is no address of this machine")]
    NotOurs(IpAddr),
    #[error("http_port is 0; an agent that serves tools says where")]
    NoPort,
    #[error("http_port {0} is the proxy's own")]
    OwnPort(u16),
    #[error("agent_id `{0}` is the id of an agent that the proxy's configuration names")]
    Id(String),
    #[error(
        "port {0} is that of an agent that the proxy's configuration names as `{1}`; remove it there, and the agent joins by itself"
    )]
    Port(u16, String),
    #[error(
        "{0} agents have joined through this proxy already; raise facade.agents_max, or give each agent a proxy of its own"
    )]
    Many(usize),
    #[error(
        "the agents of this proxy depend on {0} capabilities together, more than {1}; give each agent a proxy of its own"
    )]
    Needs(usize, usize),
    #[error(
        "the registrations of the agents of this proxy have {0} bytes together, more than {1}; give each agent a proxy of its own"
    )]
    Large(usize, usize),
}

/// Who may join here.
pub(super) struct House<'a> {
    pub rules: &'a Facade,
    /// Those of the configuration.
    pub fixed: &'a [AgentSettings],
    /// Of the proxy itself.
    pub ports: &'a [u16],
    pub zone: &'a str,
}

/// The agent as one of the proxy's own. None: it can join, and listens nowhere that anybody has to know of.
pub(super) fn admit(house: &House<'_>, heartbeat: &Heartbeat) -> Result<Option<AgentSettings>, NotHere> {
    if house.fixed.iter().any(|agent| agent.replica == heartbeat.id) {
        return Err(NotHere::Id(heartbeat.id.to_string()));
    }
    let serves = heartbeat.registration.kind == AgentKind::Mcp;
    let address = match place(house, heartbeat) {
        Ok(address) => address,
        Err(error) if serves => return Err(error),
        // It only calls, and nobody calls it.
        Err(_) => return Ok(None),
    };
    if let Some(known) = house.fixed.iter().find(|agent| agent.url.port() == address.port()) {
        return Err(NotHere::Port(address.port(), known.name.to_string()));
    }
    let check = match serves {
        true => Check::Page(Page { url: AgentUrl::at(address, HEALTH), status: None, json: Vec::new() }),
        false => Check::Port,
    };
    let probe = Probe {
        interval: INTERVAL,
        timeout: TIMEOUT,
        unhealthy_after: UNHEALTHY_AFTER,
        healthy_after: 1,
        ask: false,
        check,
    };
    Ok(Some(AgentSettings {
        name: heartbeat.agent.clone(),
        url: AgentUrl::at(address, ENDPOINT),
        replica: heartbeat.id.clone(),
        version: heartbeat.version.clone(),
        tags: TagSet::default(),
        weight: 100,
        zone: house.zone.to_owned(),
        capabilities: Vec::new(),
        probe,
        calls: Calls::default(),
    }))
}

fn place(house: &House<'_>, heartbeat: &Heartbeat) -> Result<SocketAddr, NotHere> {
    let (host, port) = (&*heartbeat.registration.host, heartbeat.registration.port);
    if port == 0 {
        return Err(NotHere::NoPort);
    }
    if house.ports.contains(&port) {
        return Err(NotHere::OwnPort(port));
    }
    let ip = match host {
        "localhost" => Ipv4Addr::LOCALHOST.into(),
        host => host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .map_err(|_| NotHere::Host(host.to_owned()))?,
    };
    let ip = ip.to_canonical();
    if ip.is_loopback() {
        return Ok(SocketAddr::new(ip, port));
    }
    if !house.rules.allow_hosts.contains(&ip) {
        return Err(NotHere::Host(host.to_owned()));
    }
    // Only addresses of this machine can be bound.
    if ip.is_unspecified() || UdpSocket::bind((ip, 0)).is_err() {
        return Err(NotHere::NotOurs(ip));
    }
    Ok(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests;
