//! What every call of this proxy shares.

use std::sync::Arc;
use std::time::Duration;

use outrigger_proxy_core::gate::Rules;
use outrigger_proxy_core::mcp::facts::Caller;

use super::announced::Announced;
use super::elsewhere::Elsewhere;
use super::pace::Pace;
use crate::catalog::Catalog;
use crate::facade::Facade;
use crate::overload::Overload;
use crate::rates::Rates;
use crate::session::openings::Openings;
use crate::session::owners::Owners;
use crate::session::seals::Seals;
use crate::session::sessions::Sessions;
use crate::snapshot::worlds::Worlds;
use crate::telemetry::Events;

/// Handed to the gateway by the process that owns them.
pub struct GatewayParts {
    pub worlds: Arc<Worlds>,
    pub sessions: Arc<Sessions>,
    /// Who holds the sessions of the own agents.
    pub owners: Arc<Owners>,
    /// Sessions that the own agents are opening.
    pub openings: Arc<Openings>,
    /// What session ids are sealed with.
    pub seals: Seals,
    pub events: Arc<Events>,
    /// Who the own agents are: sessions are bound to it, affinity hashes it.
    pub caller: Caller,
    /// What the listener for the own agents accepts.
    pub outbound_rules: Rules,
    /// What the listener for other proxies accepts; they proved who they are, so any host will do.
    pub inbound_rules: Rules,
    /// Where the own agents may go beyond the mesh.
    pub elsewhere: Elsewhere,
    /// What own agents of 2024-11-05 announced to the streams that are open.
    pub announced: Arc<Announced>,
    pub limits: Limits,
    /// What is used of the limits on how often.
    pub rates: Rates,
    /// None lets everything in.
    pub overload: Option<Arc<Overload>>,
    /// Everything at once, at `/mcp` of the outbound listener.
    pub catalog: Arc<Catalog>,
    /// What agents of mcp-mesh take for their registry; none where no path is its.
    pub facade: Option<Arc<Facade>>,
}

/// How much one caller may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub body_bytes_max: usize,
    pub connections_max: usize,
    /// For one request head to arrive.
    pub head_time: Duration,
    /// For a request body to arrive.
    pub body_pace: Pace,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 16 * 1024 * 1024,
            connections_max: 10_000,
            head_time: Duration::from_secs(10),
            body_pace: Pace::default(),
        }
    }
}
