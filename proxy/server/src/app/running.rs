//! A proxy that runs, until it is stopped.
//!
//! Invariant: when [`Running::stop`] returns, no task and no socket of this proxy is left.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::info;

use super::calls;
use super::ports::Ports;
use crate::config::Settings;
use crate::gateway::Gateway;
use crate::handover::listeners::Listeners;
use crate::health::local::LocalReplicas;
use crate::health::roster::LocalAgents;
use crate::lifecycle::{Readiness, Tasks};
use crate::registration::report::{Registration, Status};
use crate::snapshot::worlds::Worlds;

/// How long tasks that only wait may take to end.
const TASKS_GRACE: Duration = Duration::from_secs(5);

/// A started proxy. Dropping it aborts its tasks; [`Running::stop`] ends them in order.
pub struct Running {
    pub ports: Ports,
    pub(super) parts: Parts,
}

/// Hears of another process that takes over.
pub struct Taken(watch::Receiver<bool>);

impl Taken {
    /// Ends when one has; never where nobody can.
    pub async fn over(&mut self) {
        if self.0.wait_for(|taken| *taken).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// What runs and has to be stopped.
pub(super) struct Parts {
    pub settings: Arc<Settings>,
    pub readiness: Readiness,
    pub worlds: Arc<Worlds>,
    pub agents: LocalAgents,
    pub registration: Option<Registration>,
    pub gateway: Gateway,
    /// The listeners once more, for a process that takes over.
    pub spare: Option<Arc<Listeners>>,
    /// Whether one did.
    pub taken: watch::Receiver<bool>,
    /// Probes, snapshots, registration.
    pub work: Tasks,
    /// Admin and health: they tell of the stop to its end.
    pub desks: Tasks,
}

impl Running {
    pub fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    /// Whether the proxy is ready, and why not.
    pub fn readiness(&self) -> &Readiness {
        &self.parts.readiness
    }

    /// The agents behind this proxy: whether they serve, what they offer, how long they took.
    pub fn agents(&self) -> watch::Receiver<LocalReplicas> {
        self.parts.agents.replicas()
    }

    /// What calls see.
    pub fn worlds(&self) -> &Arc<Worlds> {
        &self.parts.worlds
    }

    /// How the registration with control stands; none without control.
    pub fn registration(&self) -> Option<watch::Receiver<Status>> {
        self.parts.registration.as_ref().map(Registration::status)
    }

    /// Ends when a part ended that should run as long as the proxy; names it. May be dropped and called again.
    pub async fn ended(&mut self) -> &'static str {
        let Parts { work, desks, .. } = &mut self.parts;
        let (first, part) = tokio::select! {
            part = work.first_end() => ("work", part),
            part = desks.first_end() => ("desks", part),
        };
        part.unwrap_or(first)
    }

    /// Leaves the mesh, lets calls in flight end within the grace of the settings, and joins everything.
    pub async fn stop(self) {
        let Parts { settings, readiness, registration, gateway, spare, mut work, mut desks, .. } = self.parts;
        readiness.stopping();
        info!(node = %settings.node, "proxy stops");
        if let Some(registration) = &registration {
            registration.drain();
        }
        // Whoever held them could have passed them on; now nobody listens when the gateway does not.
        drop(spare);
        let is_known = registration.as_ref().is_some_and(Registration::is_needed);
        calls::stop(gateway, settings.drain, is_known, async {
            if let Some(registration) = &registration {
                registration.leave().await;
            }
        })
        .await;
        work.stop(TASKS_GRACE).await;
        desks.stop(TASKS_GRACE).await;
        info!(node = %settings.node, "proxy stopped");
    }

    /// Tells when another process has taken over; what is left of this one is [`Running::retire`].
    pub fn taken(&self) -> Taken {
        Taken(self.parts.taken.clone())
    }

    /// Ends without a farewell, because another process goes on: callers are told with their next answer to connect anew, and calls
    /// in flight end within the grace.
    pub async fn retire(self) {
        let Parts { settings, readiness, gateway, spare, mut work, mut desks, .. } = self.parts;
        readiness.stopping();
        info!(node = %settings.node, "another process has taken over; this one ends its calls");
        drop(spare);
        // Operators and probes are to reach the other process from now on.
        desks.stop(Duration::ZERO).await;
        calls::hand_over(gateway, settings.drain.grace).await;
        work.stop(TASKS_GRACE).await;
        info!(node = %settings.node, "proxy retired");
    }
}
