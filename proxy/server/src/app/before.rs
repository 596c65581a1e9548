//! The process that served before this one, until it has ended.
//!
//! Invariant: whatever fails in here leaves that process as it was.

use std::collections::HashMap;
use std::time::Duration;

use outrigger_model::name::ReplicaId;
use outrigger_model::replica::Generation;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::warn;

use super::error::StartError;
use super::mesh;
use crate::config::Settings;
use crate::handover::listeners::Listeners;
use crate::handover::luggage::Luggage;
use crate::handover::take::Taken;
use crate::handover::{HandoverError, READY_WITHIN};
use crate::health::local::LocalReplicas;
use crate::lifecycle::Tasks;
use crate::registration::report::Registration;
use crate::snapshot::join::Applied;

/// Agents that hang are not waited for any longer.
const PROBED_WITHIN: Duration = Duration::from_secs(5);
/// Control may be away, which is no reason to stay with the other process.
const HEARD_WITHIN: Duration = Duration::from_secs(2);

pub(super) struct Before(Taken);

impl Before {
    /// None unless this process is to take over.
    pub(super) async fn of(
        settings: &Settings,
        upgrade: bool,
    ) -> Result<(Option<Self>, Option<Listeners>), StartError> {
        if !upgrade {
            return Ok((None, None));
        }
        let path = settings.handover_socket.as_deref().ok_or(StartError::NoHandover)?;
        let (taken, listeners) = Taken::ask(path, settings.node.as_str(), mesh::build()).await?;
        Ok((Some(Self(taken)), Some(listeners)))
    }

    /// What agents were when they served the other process; nothing without one.
    pub(super) fn generations(before: Option<&Self>) -> HashMap<ReplicaId, Generation> {
        before.map(|before| before.0.generations.clone()).unwrap_or_default()
    }

    /// Waits until this process could serve, then takes over what the other one knows.
    pub(super) async fn ready(
        &mut self,
        mut applied: watch::Receiver<Option<Applied>>,
        mut agents: watch::Receiver<LocalReplicas>,
        luggage: &Luggage,
    ) -> Result<(), StartError> {
        let world = timeout(READY_WITHIN, applied.wait_for(Option::is_some)).await;
        if !matches!(world, Ok(Ok(_))) {
            return Err(HandoverError::NoWorld.into());
        }
        let probed = agents.wait_for(|agents| agents.iter().all(|agent| agent.probed));
        if timeout(PROBED_WITHIN, probed).await.is_err() {
            warn!("an own agent does not answer; this process takes over without having seen it");
        }
        Ok(self.0.ready(luggage).await?)
    }

    /// This process accepts: the other one ends, and tells meanwhile what it still learns.
    pub(super) async fn serving(
        mut self,
        registration: Option<&Registration>,
        luggage: Luggage,
        work: &mut Tasks,
    ) -> Result<(), StartError> {
        if let Some(registration) = registration.filter(|registration| registration.is_needed()) {
            let mut status = registration.status();
            let heard = timeout(HEARD_WITHIN, status.wait_for(|status| status.taken.is_some())).await;
            if !matches!(heard, Ok(Ok(_))) {
                warn!("control has not heard this process yet");
            }
        }
        self.0.serving().await?;
        work.spawn("luggage", self.0.follow(luggage, work.token()));
        Ok(())
    }
}
