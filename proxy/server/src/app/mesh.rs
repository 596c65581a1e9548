//! The proxy's ties to the mesh: where snapshots come from, and what control is told.
//!
//! Invariant: control that is away keeps nothing from starting.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use outrigger_client::{Watch, WatchConfig};
use outrigger_identity::{Material, channel};
use outrigger_model::identity::Party;
use outrigger_model::requirement::Dependency;
use tokio::net::UdpSocket;
use tonic::transport::Channel;
use tracing::{info, warn};

use super::error::StartError;
use crate::config::Settings;
use crate::registration::advertise;
use crate::registration::report::Reporter;
use crate::snapshot::frozen;
use crate::snapshot::join::Feed;
use crate::telemetry::Events;

/// What control and operators are told of this program.
pub(super) fn build() -> String {
    format!("outrigger/{}", env!("CARGO_PKG_VERSION"))
}

/// A stream of snapshots from control that include `needs`, or else the last good file.
pub(super) async fn feed(
    settings: &Settings,
    needs: Vec<Dependency>,
    material: Option<&Material>,
) -> Result<Feed, StartError> {
    if let Some(file) = &settings.snapshot_file {
        check_folder(file)?;
    }
    let Some(address) = settings.control.clone() else {
        let file = settings.snapshot_file.clone();
        let held = match file {
            Some(file) => frozen::load(file).await,
            None => None,
        };
        return Ok(Feed::File(held));
    };
    let first = channel(&address, material)?;
    let material = material.cloned();
    // The first one proved that the address and the identity make a channel; it is what is left if that ever changes.
    let connect = move || channel(&address, material.as_ref()).unwrap_or_else(|_| Channel::clone(&first));
    let config = WatchConfig {
        needs,
        labels: settings.labels.clone(),
        only_needs: settings.only_needs,
        last_good: settings.snapshot_file.clone(),
        ..WatchConfig::new(settings.node.clone(), &build())
    };
    Ok(Feed::Control(Watch::start(connect, config)))
}

/// A folder that is not there is a mistake of the start, found now rather than at the first snapshot.
fn check_folder(file: &Path) -> Result<(), StartError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match std::fs::metadata(folder) {
        Ok(_) => Ok(()),
        Err(cause) => Err(StartError::SnapshotFolder { file: file.to_owned(), cause }),
    }
}

/// Who reports to control, and over which channel; none without control. A proxy that only calls reports how its calls go, unless its
/// identity is one that control does not hear reports of.
pub(super) async fn reporter(
    settings: &Settings,
    material: Option<&Arc<Material>>,
    inbound: SocketAddr,
    events: &Arc<Events>,
) -> Result<Option<(Reporter, Channel)>, StartError> {
    let is_heard = |material: &Arc<Material>| matches!(material.id().party, Party::Agent(_) | Party::Node(_));
    let may_have_agents = !settings.agents.is_empty() || settings.facade.is_some();
    let may_report = may_have_agents || material.is_none_or(is_heard);
    let Some(control) = settings.control.as_deref().filter(|_| may_report) else { return Ok(None) };
    let advertise = match settings.advertise {
        Some(address) => address,
        None => advertised(inbound, control).await,
    };
    info!(%advertise, "other proxies are told to dial this address");
    let node = settings.node.clone();
    let channel = channel(control, material.map(AsRef::as_ref))?;
    let events = Arc::clone(events);
    Ok(Some((Reporter { node, build: build(), advertise, events }, channel)))
}

/// The address that faces control; if its name leads nowhere yet, the one that faces the world.
async fn advertised(inbound: SocketAddr, control: &str) -> SocketAddr {
    match advertise::address(inbound, control).await {
        Ok(address) => address,
        Err(error) => {
            let facing = facing_the_world().await.unwrap_or(inbound);
            let address = SocketAddr::new(facing.ip(), inbound.port());
            warn!(%error, %address, "the address to advertise is a guess; set `advertise`");
            address
        }
    }
}

/// Nothing is sent: a connected UDP socket knows the local address of the default route. The address is of TEST-NET-1.
async fn facing_the_world() -> std::io::Result<SocketAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").await?;
    socket.connect("192.0.2.1:9").await?;
    socket.local_addr()
}
