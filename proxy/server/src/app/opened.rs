//! The sockets of a proxy, bound or taken from the process before, before anything else begins.

use std::sync::Arc;

use super::before::Before;
use super::error::StartError;
use super::ports::{self, Ports};
use crate::config::Settings;
use crate::handover::listeners::Listeners;
use crate::handover::place::Prepared;

/// Nobody serves them yet.
pub(super) struct Opened {
    /// Who serves until this process does.
    pub before: Option<Before>,
    /// Where this process can be asked to hand over, if it can be.
    pub socket: Option<Prepared>,
    pub doors: Listeners,
    pub ports: Ports,
    /// The same once more, to be handed over.
    pub spare: Option<Arc<Listeners>>,
}

impl Opened {
    pub(super) async fn of(settings: &Settings, upgrade: bool) -> Result<Self, StartError> {
        let (before, held) = Before::of(settings, upgrade).await?;
        let socket = match &settings.handover_socket {
            Some(path) => Some(Prepared::at(path, upgrade).await?),
            None => None,
        };
        let doors = ports::open(&settings.listen, held)?;
        let ports = ports::of(&doors).map_err(StartError::Serve)?;
        let spare = match &socket {
            Some(_) => Some(Arc::new(doors.again().map_err(StartError::Serve)?)),
            None => None,
        };
        Ok(Self { before, socket, doors, ports, spare })
    }
}
