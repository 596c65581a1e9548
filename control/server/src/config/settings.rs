//! What control runs by: checked values, made from a [`ControlFile`] and the folder that it lies in.
//!
//! Invariant: settings that exist never serve plaintext beyond loopback unless `insecure: true` was written.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use outrigger_config::log::Log;
use outrigger_control_core::intent::{Intent, IntentError, OperatorRoute};
use outrigger_control_core::lease::{BadLease, LeaseRules};
use outrigger_control_core::registry::Rules;
use outrigger_identity::{Material, MaterialError};
use outrigger_model::address::{BadCidr, Cidr};
use outrigger_model::identity::Party;
use outrigger_model::name::{BadName, RouteName};
use outrigger_model::requirement::{BadRequirement, Requirement};
use outrigger_model::route::{Affinity, Limits, RoutePolicy, Timeouts};
use outrigger_model::traffic::Traffic;

use crate::config::file::{ControlFile, LimitsFile, MeshFile, RouteFile, TimeoutsFile};
use crate::config::pools::{self, PoolError, PoolFile};
use crate::config::rates::{self, RatesError};
use crate::config::retries::{self, RetriesError};
use crate::config::sessions::{self, SessionsError};
use crate::config::traffic::{self, Misplaced, TrafficError, Written};
use crate::store::{BadPlace, StorePlace};

const REPLICAS_MAX: usize = 20_000;
const STORE_DEFAULT: &str = "sqlite:control.db";

/// Everything control needs to start.
#[derive(Debug, Clone)]
pub struct Settings {
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    pub store: StorePlace,
    /// None: gRPC is plaintext.
    pub material: Option<Material>,
    pub is_insecure: bool,
    pub rules: Rules,
    pub intent: Intent,
    /// After how long a key of session ids is followed by a new one; none is never.
    pub keys_every: Option<Duration>,
    pub log: Log,
}

/// The key that is wrong, and what to write instead.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{key}: `{text}` is not an address of the form ip:port, such as 127.0.0.1:17010")]
    Address { key: &'static str, text: String },
    #[error("store")]
    Store(#[from] BadPlace),
    #[error(
        "{key}: {address} is beyond loopback and {what}; listen on 127.0.0.1, {other}or set `insecure: true` for a closed network"
    )]
    Plaintext { key: &'static str, address: SocketAddr, what: &'static str, other: &'static str },
    #[error("identity")]
    Identity(#[from] MaterialError),
    #[error("identity.certificate: it is of {0}; control needs one of spiffe://<domain>/control")]
    NotControl(String),
    #[error("registration.allow_networks[{at}]")]
    Network {
        at: usize,
        #[source]
        cause: BadCidr,
    },
    #[error("registration.replicas_max: {0} is not within 1 to {REPLICAS_MAX}")]
    Replicas(usize),
    #[error("lease")]
    Lease(#[from] BadLease),
    #[error("routes[{at}].name")]
    RouteName {
        at: usize,
        #[source]
        cause: BadName,
    },
    #[error("routes[{at}] asks for what cannot be")]
    Requirement {
        at: usize,
        #[source]
        cause: BadRequirement,
    },
    #[error("routes[{at}].affinity: `{text}` is none of auto, agent, keys and none")]
    Affinity { at: usize, text: String },
    #[error("pools[{at}].{cause}")]
    Pool { at: usize, cause: PoolError },
    #[error("settings.{0}")]
    Sessions(SessionsError),
    #[error("routes[{at}].{cause}")]
    RouteSessions { at: usize, cause: SessionsError },
    #[error("routes[{at}].{place}")]
    RouteTraffic {
        at: usize,
        place: String,
        #[source]
        cause: TrafficError,
    },
    #[error("routes[{at}].retries.{cause}")]
    Retries { at: usize, cause: RetriesError },
    #[error("{list}[{at}].{cause}")]
    Rates { list: &'static str, at: usize, cause: RatesError },
    #[error("what is declared contradicts itself")]
    Intent(#[from] IntentError),
}

impl TryFrom<(ControlFile, &Path)> for Settings {
    type Error = SettingsError;

    /// `folder` is where the file lies; paths in it start there.
    fn try_from((file, folder): (ControlFile, &Path)) -> Result<Self, SettingsError> {
        let grpc = address("listen.grpc", &file.listen.grpc)?;
        let http = address("listen.http", &file.listen.http)?;
        let material = match &file.identity {
            None => None,
            Some(files) => {
                let path = |text: &str| folder.join(text);
                Some(Material::load(&path(&files.certificate), &path(&files.key), &path(&files.authority))?)
            }
        };
        check_plaintext(grpc, http, material.as_ref(), file.insecure)?;
        let intent = intent(file.routes, file.pools, &file.settings)?;
        Ok(Self {
            grpc,
            http,
            store: store(file.store.as_deref().unwrap_or(STORE_DEFAULT), folder)?,
            material,
            is_insecure: file.insecure,
            rules: Rules {
                revocations_kept: intent.settings().session_lifetime,
                lease: lease(file.lease.light_seconds, file.lease.lease_seconds)?,
                networks: networks(&file.registration.allow_networks)?,
                replicas_max: match file.registration.replicas_max.unwrap_or(REPLICAS_MAX) {
                    count @ 1..=REPLICAS_MAX => count,
                    count => return Err(SettingsError::Replicas(count)),
                },
            },
            keys_every: sessions::keys_every(&file.settings).map_err(SettingsError::Sessions)?,
            intent,
            log: file.log.into(),
        })
    }
}

fn address(key: &'static str, text: &str) -> Result<SocketAddr, SettingsError> {
    text.parse().map_err(|_| SettingsError::Address { key, text: text.to_owned() })
}

fn store(text: &str, folder: &Path) -> Result<StorePlace, BadPlace> {
    Ok(match text.parse()? {
        StorePlace::Sqlite(path) => StorePlace::Sqlite(folder.join(path)),
        StorePlace::Memory => StorePlace::Memory,
    })
}

fn check_plaintext(
    grpc: SocketAddr,
    http: SocketAddr,
    material: Option<&Material>,
    is_insecure: bool,
) -> Result<(), SettingsError> {
    if let Some(material) = material
        && material.id().party != Party::Control
    {
        return Err(SettingsError::NotControl(material.id().to_string()));
    }
    if is_insecure {
        return Ok(());
    }
    let no = |key, address, what, other| Err(SettingsError::Plaintext { key, address, what, other });
    if material.is_none() && !grpc.ip().is_loopback() {
        return no("listen.grpc", grpc, "there is no `identity`", "give control an identity (`outrigger ca issue`), ");
    }
    if !http.ip().is_loopback() {
        return no("listen.http", http, "it is plaintext", "");
    }
    Ok(())
}

fn lease(light: Option<u64>, lease: Option<u64>) -> Result<LeaseRules, BadLease> {
    let usual = LeaseRules::default();
    let light = light.map_or(usual.light(), Duration::from_secs);
    LeaseRules::new(light, lease.map_or(usual.lease(), Duration::from_secs))
}

fn networks(texts: &[String]) -> Result<Vec<Cidr>, SettingsError> {
    let parse = |(at, text): (usize, &String)| text.parse().map_err(|cause| SettingsError::Network { at, cause });
    texts.iter().enumerate().map(parse).collect()
}

fn intent(routes: Vec<RouteFile>, pools: Vec<PoolFile>, mesh: &MeshFile) -> Result<Intent, SettingsError> {
    let routes = routes.into_iter().enumerate().map(|(at, route)| operator_route(at, &route));
    let routes = routes.collect::<Result<Vec<_>, _>>()?;
    let pools = pools.iter().enumerate();
    let pools = pools.map(|(at, file)| pools::pool(file).map_err(|cause| SettingsError::Pool { at, cause }));
    let pools = pools.collect::<Result<Vec<_>, _>>()?;
    let settings = sessions::settings(mesh).map_err(SettingsError::Sessions)?;
    Ok(Intent::new(routes, pools, settings)?)
}

fn operator_route(at: usize, route: &RouteFile) -> Result<OperatorRoute, SettingsError> {
    let affinity = match &route.affinity {
        None => Affinity::default(),
        Some(text) => Affinity::parse(text).ok_or_else(|| SettingsError::Affinity { at, text: text.clone() })?,
    };
    let bad = |cause| SettingsError::Rates { list: "routes", at, cause };
    let priority = rates::priority(route.priority.as_deref()).map_err(bad)?;
    Ok(OperatorRoute {
        name: RouteName::new(&route.name).map_err(|cause| SettingsError::RouteName { at, cause })?,
        requirement: Requirement::parse(&route.capability, route.version.as_deref(), &route.tags)
            .map_err(|cause| SettingsError::Requirement { at, cause })?,
        policy: RoutePolicy {
            affinity,
            inspect: route.inspect,
            sessions: sessions::policy(route).map_err(|cause| SettingsError::RouteSessions { at, cause })?,
            timeouts: timeouts(&route.timeouts),
            retries: retries::retries(&route.retries).map_err(|cause| SettingsError::Retries { at, cause })?,
            rates: rates::rates(&route.rates).map_err(bad)?,
            traffic: Traffic { priority, ..Traffic::default() },
        },
        traffic: traffic::traffic(&Written {
            capability: &route.capability,
            split: &route.split,
            matches: &route.matches,
            mirror: route.mirror.as_ref(),
            faults: route.faults.as_ref(),
            headers: route.headers.as_ref(),
        })
        .map_err(|Misplaced { place, cause }| SettingsError::RouteTraffic { at, place, cause })?,
    })
}

fn timeouts(file: &TimeoutsFile) -> Timeouts {
    let usual = Timeouts::default();
    Timeouts {
        connect: file.connect_ms.map_or(usual.connect, Duration::from_millis),
        quick: limits(&file.quick, usual.quick),
        call: limits(&file.call, usual.call),
        stream: limits(&file.stream, usual.stream),
        keep_alive: file.keep_alive_ms.map(Duration::from_millis),
    }
}

fn limits(file: &LimitsFile, usual: Limits) -> Limits {
    Limits {
        first_byte: file.first_byte_ms.map(Duration::from_millis).or(usual.first_byte),
        idle: file.idle_ms.map(Duration::from_millis).or(usual.idle),
        total: file.total_ms.map(Duration::from_millis).or(usual.total),
    }
}

#[cfg(test)]
mod tests;
