//! The connection to an endpoint, as pingora wants it described.
//!
//! In: an endpoint and the time limits of its route. Out: a pingora peer.
//! Invariant: an endpoint with an identity is never reached without it being proven.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use http::Uri;
use outrigger_model::route::Timeouts;
use outrigger_proxy_core::world::endpoint::{Endpoint, Place};
use pingora::upstreams::peer::{H1UpgradePolicy, HttpPeer};
use tokio::net::TcpStream;

use crate::identity::connector::{identified_peer, plain_peer};

// Common servers close a connection that is idle for 5 s (uvicorn, node). A call that is sent just then is lost, and must not be
// sent twice; so ours are closed before.
const AGENT_IDLE: Duration = Duration::from_secs(4);

// Below what the inbound listener of a peer allows.
const PEER_IDLE: Duration = Duration::from_secs(60);

// How long an address found for a name is used without asking again.
const ADDRESS_TIME: Duration = Duration::from_secs(10);

/// The addresses of own agents whose URL holds a name; as many as there are such agents.
#[derive(Default)]
pub struct Addresses(ArcSwap<HashMap<String, Known>>);

#[derive(Clone)]
struct Known {
    address: SocketAddr,
    until: Instant,
}

/// Describes the connection for one attempt. Fails if the name of an own agent's host leads nowhere.
pub async fn peer(endpoint: &Endpoint, timeouts: Timeouts, addresses: &Addresses) -> io::Result<HttpPeer> {
    let (mut peer, idle) = match &endpoint.place {
        Place::Peer { address, identity: Some(id) } => (identified_peer(*address, id), PEER_IDLE),
        Place::Peer { address, identity: None } => (plain_peer(*address), PEER_IDLE),
        Place::Own { upstream } => (plain_peer(addresses.of(upstream, timeouts.connect).await?), AGENT_IDLE),
    };
    peer.options.connection_timeout = Some(timeouts.connect);
    peer.options.total_connection_timeout = Some(timeouts.connect);
    peer.options.idle_timeout = Some(idle);
    peer.options.http_upstream_request_policy.h1_upgrade = H1UpgradePolicy::Deny;
    Ok(peer)
}

impl Addresses {
    async fn of(&self, upstream: &Uri, connect: Duration) -> io::Result<SocketAddr> {
        let host = upstream.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let port = upstream.port_u16().unwrap_or(80);
        if let Ok(ip) = host.parse() {
            return Ok(SocketAddr::new(ip, port));
        }
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
async fn first_that_answers(addresses: &[SocketAddr], connect: Duration) -> io::Result<SocketAddr> {
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
