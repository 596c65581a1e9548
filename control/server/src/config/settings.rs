//! What control runs by: checked values, made from a [`ControlFile`] and the folder that it lies in.
//!
//! Invariant: settings that exist never serve plaintext beyond loopback unless `insecure: true` was written.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http::uri::Authority;
use outrigger_config::log::Log;
use outrigger_control_core::lease::{BadLease, LeaseRules};
use outrigger_control_core::registry::Rules;
use outrigger_identity::{Material, MaterialError};
use outrigger_model::address::{BadCidr, Cidr};
use outrigger_model::identity::Party;

use crate::config::declared::DeclaredError;
use crate::config::document::{Document, DocumentFile};
use crate::config::file::ControlFile;
use crate::config::streams::StreamLimits;
use crate::store::{BadPlace, StorePlace};

const REPLICAS_MAX: usize = 20_000;
const STORE_DEFAULT: &str = "sqlite:control.db";

/// Everything control needs to start.
#[derive(Debug, Clone)]
pub struct Settings {
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    pub store: StorePlace,
    /// Where proxies and operators reach this replica of control; none is not said.
    pub advertise: Option<String>,
    /// None: gRPC is plaintext.
    pub material: Option<Material>,
    pub is_insecure: bool,
    /// Whether operators may call agents through control.
    pub is_relaying: bool,
    pub rules: Rules,
    /// What the file declares; what runs may be published later.
    pub declared: Document,
    /// Not written in a file.
    pub streams: StreamLimits,
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
        "store: what goes to {0} may be read on the way; add `?sslmode=verify-full`, or set `insecure: true` for a closed network"
    )]
    ExposedStore(String),
    #[error(
        "{key}: {address} is beyond loopback and {what}; listen on 127.0.0.1, {other}or set `insecure: true` for a closed network"
    )]
    Plaintext { key: &'static str, address: SocketAddr, what: &'static str, other: &'static str },
    #[error("advertise: `{0}` is not host:port; write what proxies write in `control.address`")]
    Advertise(String),
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
    #[error(transparent)]
    Declared(#[from] DeclaredError),
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
        let ControlFile { settings, routes, pools, .. } = file;
        let declared = Document::of(DocumentFile { settings, routes, pools })?;
        Ok(Self {
            grpc,
            http,
            store: store(file.store.as_deref().unwrap_or(STORE_DEFAULT), folder, file.insecure)?,
            advertise: advertise(file.advertise, grpc)?,
            material,
            is_insecure: file.insecure,
            // Over mTLS control would speak for whoever reaches its plain listener; that is for operators to allow.
            is_relaying: file.relay.unwrap_or(file.identity.is_none()),
            rules: Rules {
                revocations_kept: declared.intent.settings().session_lifetime,
                lease: lease(file.lease.light_seconds, file.lease.lease_seconds)?,
                networks: networks(&file.registration.allow_networks)?,
                replicas_max: match file.registration.replicas_max.unwrap_or(REPLICAS_MAX) {
                    count @ 1..=REPLICAS_MAX => count,
                    count => return Err(SettingsError::Replicas(count)),
                },
            },
            declared,
            streams: StreamLimits::default(),
            log: file.log.into(),
        })
    }
}

fn address(key: &'static str, text: &str) -> Result<SocketAddr, SettingsError> {
    text.parse().map_err(|_| SettingsError::Address { key, text: text.to_owned() })
}

fn store(text: &str, folder: &Path, is_insecure: bool) -> Result<StorePlace, SettingsError> {
    let place = text.parse::<StorePlace>()?.within(folder);
    match &place {
        StorePlace::Postgres(database) if database.is_exposed() && !is_insecure => {
            Err(SettingsError::ExposedStore(database.to_string()))
        }
        _ => Ok(place),
    }
}

/// Where nothing is written: where it listens, if others can dial that.
fn advertise(text: Option<String>, grpc: SocketAddr) -> Result<Option<String>, SettingsError> {
    match text {
        None => Ok((!grpc.ip().is_unspecified() && grpc.port() > 0).then(|| grpc.to_string())),
        Some(text) => match text.parse::<Authority>() {
            Ok(authority) if authority.port_u16().is_some_and(|port| port > 0) && !text.contains('@') => Ok(Some(text)),
            _ => Err(SettingsError::Advertise(text)),
        },
    }
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

#[cfg(test)]
mod tests;
