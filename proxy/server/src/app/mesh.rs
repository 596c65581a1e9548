//! The proxy's ties to the mesh: where snapshots come from, and what control is told.
//!
//! Invariant: control that is away keeps nothing from starting.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use outrigger_client::{Addresses, Watch, WatchConfig};
use outrigger_identity::{ChannelError, Material, channel};
use outrigger_model::identity::Party;
use outrigger_model::requirement::Dependency;
use tokio::net::UdpSocket;
use tonic::transport::Channel;
use tracing::{info, warn};

use super::error::StartError;
use crate::config::Settings;
use crate::registration::advertise;
use crate::registration::controls::Controls;
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
    let Some(addresses) = addresses(settings) else {
        let file = settings.snapshot_file.clone();
        let held = match file {
            Some(file) => frozen::load(file).await,
            None => None,
        };
        return Ok(Feed::File(held));
    };
    let connect = connector(settings, &addresses, material.cloned())?;
    // A connection is asked for where the one before failed, so each is to the next replica of control.
    let addresses = Mutex::new(addresses);
    let connect = move || {
        let mut addresses = addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.next();
        connect(addresses.current())
    };
    let config = WatchConfig {
        needs,
        labels: settings.labels.clone(),
        only_needs: settings.only_needs,
        last_good: settings.snapshot_file.clone(),
        ..WatchConfig::new(settings.node.clone(), &build())
    };
    Ok(Feed::Control(Watch::start(connect, config)))
}

fn addresses(settings: &Settings) -> Option<Addresses> {
    Addresses::new(settings.control.clone(), &mut fastrand::Rng::new())
}

/// Makes channels to replicas of control; fails now if an address or the identity makes none.
fn connector(
    settings: &Settings,
    addresses: &Addresses,
    material: Option<Material>,
) -> Result<impl Fn(&str) -> Channel + Send + Sync + 'static, ChannelError> {
    let any = channel(addresses.current(), material.as_ref())?;
    let mut first = BTreeMap::new();
    for address in &settings.control {
        first.insert(address.clone(), channel(address, material.as_ref())?);
    }
    // What made a channel once is what is left if that ever changes.
    let before = move |address: &str| first.get(address).unwrap_or(&any).clone();
    Ok(move |address: &str| channel(address, material.as_ref()).unwrap_or_else(|_| before(address)))
}

/// A folder that is not there is a mistake of the start, found now rather than at the first snapshot.
fn check_folder(file: &Path) -> Result<(), StartError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match std::fs::metadata(folder) {
        Ok(_) => Ok(()),
        Err(cause) => Err(StartError::SnapshotFolder { file: file.to_owned(), cause }),
    }
}

/// Who reports, and to which replicas of control; none without control. A proxy that only calls reports how its calls go, unless its
/// identity is one that control does not hear reports of.
pub(super) async fn reporter(
    settings: &Settings,
    material: Option<&Arc<Material>>,
    inbound: SocketAddr,
    events: &Arc<Events>,
) -> Result<Option<(Reporter, Controls)>, StartError> {
    let is_heard = |material: &Arc<Material>| matches!(material.id().party, Party::Agent(_) | Party::Node(_));
    let may_have_agents = !settings.agents.is_empty() || settings.facade.is_some();
    let may_report = may_have_agents || material.is_none_or(is_heard);
    let Some(addresses) = addresses(settings).filter(|_| may_report) else { return Ok(None) };
    let advertise = match settings.advertise {
        Some(address) => address,
        None => advertised(inbound, addresses.current()).await,
    };
    info!(%advertise, "other proxies are told to dial this address");
    let (node, events) = (settings.node.clone(), Arc::clone(events));
    let connect = connector(settings, &addresses, material.map(|material| Material::clone(material)))?;
    Ok(Some((Reporter { node, build: build(), advertise, events }, Controls::new(addresses, connect))))
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
