//! The gateway with the rules that follow from the settings.
//!
//! In: settings, identity, and what calls share. Out: two listeners that carry calls.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_identity::Material;
use outrigger_proxy_core::gate::{Hosts, Rules};
use outrigger_proxy_core::mcp::facts::Caller;
use tokio::time::{sleep, timeout};

use super::error::StartError;
use super::ports::Ports;
use crate::catalog::Catalog;
use crate::config::Settings;
use crate::config::settings::Drain;
use crate::facade::Facade;
use crate::gateway::{self, Elsewhere, Gateway, GatewayParts, Limits, Pace};
use crate::overload::Overload;
use crate::rates::Rates;
use crate::session::owners::Owners;
use crate::session::seals::Seals;
use crate::session::sessions::Sessions;
use crate::snapshot::worlds::Worlds;
use crate::telemetry::Events;

/// By then the proxies of callers have heard from control that this one drains, and send nothing new.
const CALLERS_KNOW_AFTER: Duration = Duration::from_millis(500);

/// Most headers of one request.
const HEADERS_MAX: usize = 256;

/// What calls share.
pub(super) struct Shared {
    pub worlds: Arc<Worlds>,
    pub sessions: Arc<Sessions>,
    pub owners: Arc<Owners>,
    pub events: Arc<Events>,
    pub catalog: Arc<Catalog>,
    pub facade: Arc<Facade>,
    pub rates: Rates,
    pub overload: Option<Arc<Overload>>,
}

pub(super) fn open(
    settings: &Settings,
    material: Option<&Material>,
    shared: Shared,
    ports: &Ports,
    outbound: TcpListener,
    inbound: TcpListener,
) -> Result<Gateway, StartError> {
    let Shared { worlds, sessions, owners, events, catalog, facade, rates, overload } = shared;
    let limits = settings.limits;
    let listed =
        Hosts { hosts: settings.allowed_hosts.clone(), origins: settings.allowed_origins.clone(), forwards: true };
    let rules = |hosts| Rules { hosts, headers_max: HEADERS_MAX, header_bytes_max: limits.header_bytes_max };
    // Peers pass on the `Host` that their agents wrote. Those that prove who they are may pass on any; in a plaintext mesh
    // on loopback a browser could come as well, and is known by its host or origin.
    let proven = material.is_some() || settings.insecure;
    let parts = GatewayParts {
        worlds,
        sessions,
        owners,
        openings: Arc::default(),
        seals: Seals::new(),
        events,
        caller: caller(settings, material),
        inbound_rules: rules((!proven).then(|| Hosts { forwards: false, ..listed.clone() })),
        outbound_rules: rules(Some(listed)),
        elsewhere: Elsewhere {
            outside: settings.forward.outside.clone(),
            outbound_port: ports.outbound.port(),
            listeners: vec![ports.outbound, ports.inbound, ports.admin, ports.health],
            tunnel_idle: settings.forward.tunnel_idle,
        },
        announced: Arc::default(),
        rates,
        overload,
        limits: Limits {
            body_bytes_max: limits.body_bytes_max,
            connections_max: limits.connections_max,
            head_time: limits.head_time,
            body_pace: Pace { grace: limits.body_grace, bytes_per_second_min: limits.body_bytes_per_second_min },
        },
        catalog,
        facade: Some(facade),
    };
    Ok(gateway::start(Arc::new(parts), material, outbound, inbound)?)
}

/// Whom sessions belong to: the proven identity, which replicas of one agent share; else the agent; else this proxy.
pub(super) fn caller(settings: &Settings, material: Option<&Material>) -> Caller {
    match (material, settings.agents.as_slice()) {
        (Some(material), _) => Caller::new(&material.id().to_string()),
        (None, [agent]) => Caller::new(agent.name.as_str()),
        (None, _) => Caller::new(settings.node.as_str()),
    }
}

/// Ends calls in order, all within one grace: first those to the own agents, then, after what `leave` does, those that they make.
///
/// New calls to the own agents are refused so that callers go elsewhere: nothing of them ran. Meanwhile the own agents are served on, as
/// they may need it for what they still have to answer.
pub(super) async fn stop(gateway: Gateway, drain: Drain, is_known: bool, leave: impl Future<Output = ()>) {
    let Gateway { outbound, inbound } = gateway;
    let began = Instant::now();
    let left = || drain.grace.saturating_sub(began.elapsed());
    inbound.refuse();
    outbound.part();
    let told = if is_known { CALLERS_KNOW_AFTER } else { Duration::ZERO };
    let served = async { tokio::join!(inbound.is_empty(), sleep(told.max(drain.agent))) };
    // What has not ended by then is cut below.
    let _ = timeout(drain.grace, served).await;
    inbound.stop(left()).await;
    tokio::join!(leave, outbound.stop(left()));
}

/// Ends both at once; another process serves from the same sockets.
pub(super) async fn hand_over(gateway: Gateway, grace: Duration) {
    tokio::join!(gateway.outbound.hand_over(grace), gateway.inbound.hand_over(grace));
}
