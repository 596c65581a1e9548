//! What is known of the agents behind this proxy.
//!
//! Out: [`LocalReplica`]s for the compiler of worlds, the report to control, and people.

use std::sync::Arc;
use std::time::Duration;

use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::registration::AgentKind;
use outrigger_model::replica::Generation;
use outrigger_proxy_core::world::compile::Own;

use outrigger_upstream::heartbeat::Heartbeat;

use crate::config::settings::{AgentSettings, AgentUrl};
use crate::introspect::offer::Offer;

/// One agent behind this proxy, as of the last look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalReplica {
    pub id: ReplicaId,
    pub agent: AgentName,
    pub url: AgentUrl,
    /// What the operator, or the agent itself, says of it.
    pub settings: Arc<AgentSettings>,
    /// As it registered itself; none where the operator named it.
    pub heartbeat: Option<Arc<Heartbeat>>,
    /// Whether it was looked at yet.
    pub probed: bool,
    /// Nobody listens at its port.
    pub gone: bool,
    /// Whether calls may go to it.
    pub serving: bool,
    /// Changes whenever the process may have lost its memory.
    pub generation: Generation,
    /// Why it does not serve, or what is odd although it does; for people.
    pub trouble: Option<String>,
    /// What it said it offers, when it last came up.
    pub offer: Option<Arc<Offer>>,
    /// From the first look to the moment it served.
    pub ready_in: Option<Duration>,
}

/// All of them: those of the settings in their order, then those that joined.
pub type LocalReplicas = Vec<LocalReplica>;

impl LocalReplica {
    /// Not looked at yet.
    pub fn unseen(settings: &AgentSettings, generation: Generation) -> Self {
        Self {
            id: settings.replica.clone(),
            agent: settings.name.clone(),
            url: settings.url.clone(),
            settings: Arc::new(settings.clone()),
            heartbeat: None,
            probed: false,
            gone: false,
            serving: false,
            generation,
            trouble: None,
            offer: None,
            ready_in: None,
        }
    }

    /// Whether others may call it: a web application of mcp-mesh only calls.
    pub fn offers(&self) -> bool {
        self.heartbeat.as_ref().is_none_or(|heartbeat| heartbeat.registration.kind == AgentKind::Mcp)
    }

    /// What worlds are compiled from. None if nobody may call it, or the URL is none, which is refused before.
    pub fn own(&self) -> Option<Own> {
        self.offers().then_some(())?;
        Some(Own {
            replica: self.id.clone(),
            agent: self.agent.clone(),
            upstream: self.url.to_string().parse().ok()?,
            generation: self.generation,
            serving: self.serving,
        })
    }
}
