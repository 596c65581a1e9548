//! Connections to endpoints: kept ones first, new ones otherwise.
//!
//! In: an endpoint and a time limit. Out: a wire to it, and back with it when its answer was read.
//! Invariant: an endpoint with an identity is never reached without it being proven.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use http::Uri;
use outrigger_proxy_core::world::endpoint::{Endpoint, Place};
use tokio::net::TcpStream;

use super::pool::{Key, Pool};
use super::wire::Wire;
use crate::identity::connector::{ConnectError, Connector};

// Common servers close a connection that is idle for 5 s (uvicorn, node). A call that is sent just then is lost, and must not be
// sent twice; so ours are closed before.
const AGENT_IDLE: Duration = Duration::from_secs(4);

// Below what the inbound listener of a peer allows.
const PEER_IDLE: Duration = Duration::from_secs(60);

// How long an address found for a name is used without asking again.
const ADDRESS_TIME: Duration = Duration::from_secs(10);

/// Every connection that this proxy opens for calls.
pub struct Upstreams {
    connector: Connector,
    pool: Arc<Pool>,
    addresses: Addresses,
}

/// A connection for one call.
pub struct Upstream {
    pub wire: Wire,
    key: Key,
    idle: Duration,
}

/// The addresses of own agents whose URL holds a name; as many as there are such agents.
#[derive(Default)]
struct Addresses(ArcSwap<HashMap<String, Known>>);

#[derive(Clone)]
struct Known {
    address: SocketAddr,
    until: Instant,
}

impl Upstreams {
    /// Must be called inside a tokio runtime.
    pub fn new(connector: Connector) -> Self {
        Self { connector, pool: Pool::start(), addresses: Addresses::default() }
    }

    /// A wire to the endpoint. `limit` is for connecting, TLS included.
    pub async fn get(&self, endpoint: &Endpoint, limit: Duration, now: Instant) -> Result<Upstream, ConnectError> {
        let (identity, idle) = match &endpoint.place {
            Place::Peer { identity, .. } => (identity.clone(), PEER_IDLE),
            Place::Own { .. } => (None, AGENT_IDLE),
        };
        let address = match (&endpoint.place, endpoint.lead.address) {
            (Place::Peer { address, .. }, _) => *address,
            (Place::Own { .. }, Some(address)) => address,
            (Place::Own { upstream }, None) => self.addresses.of(upstream, limit).await.map_err(ConnectError::Tcp)?,
        };
        let key = Key { address, identity };
        let wire = match self.pool.take(&key, now) {
            Some(wire) => wire,
            None => Wire::new(self.connector.connect(address, key.identity.as_ref(), limit).await?),
        };
        Ok(Upstream { wire, key, idle })
    }

    /// A new connection for one use, to a place that proves nothing.
    pub async fn open(&self, address: SocketAddr, limit: Duration) -> Result<Wire, ConnectError> {
        self.connector.connect(address, None, limit).await.map(Wire::new)
    }

    /// Keeps the wire for a later call.
    pub fn put(&self, upstream: Upstream, now: Instant) {
        let Upstream { wire, key, idle } = upstream;
        self.pool.put(&key, wire, idle, now);
    }
}

impl Addresses {
    async fn of(&self, upstream: &Uri, connect: Duration) -> io::Result<SocketAddr> {
        let host = upstream.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let port = upstream.port_u16().unwrap_or(80);
        let name = format!("{host}:{port}");
        let now = Instant::now();
        if let Some(known) = self.0.load().get(&name).filter(|known| known.until > now) {
            return Ok(known.address);
        }
        let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
        let address = first_that_answers(&found, connect).await?;
        self.0.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.insert(name.clone(), Known { address, until: now + ADDRESS_TIME });
            known
        });
        Ok(address)
    }
}

/// `localhost` is two addresses, and servers commonly listen on only one of them.
pub(super) async fn first_that_answers(addresses: &[SocketAddr], connect: Duration) -> io::Result<SocketAddr> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in addresses {
        match tokio::time::timeout(connect, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(*address),
            Ok(Err(error)) => failure = error,
            Err(_) => failure = io::Error::from(io::ErrorKind::TimedOut),
        }
    }
    Err(failure)
}
