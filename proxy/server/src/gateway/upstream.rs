//! The connection to an endpoint, as pingora wants it described.
//!
//! In: an endpoint and the time limits of its route. Out: a pingora peer.
//! Invariant: an endpoint with an identity is never reached without it being proven.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::Uri;
use outrigger_model::route::Timeouts;
use outrigger_proxy_core::world::endpoint::{Endpoint, Place};
use pingora::upstreams::peer::{H1UpgradePolicy, HttpPeer};

use crate::identity::connector::{identified_peer, plain_peer};

// Common servers close a connection that is idle for 5 s (uvicorn, node). A call that is sent just then is lost, and must not be
// sent twice; so ours are closed before.
const AGENT_IDLE: Duration = Duration::from_secs(4);

// Below what the inbound listener of a peer allows.
const PEER_IDLE: Duration = Duration::from_secs(60);

/// Describes the connection for one attempt. Fails if the name of an own agent's host does not resolve.
pub async fn peer(endpoint: &Endpoint, timeouts: Timeouts) -> io::Result<HttpPeer> {
    let (mut peer, idle) = match &endpoint.place {
        Place::Peer { address, identity: Some(id) } => (identified_peer(*address, id), PEER_IDLE),
        Place::Peer { address, identity: None } => (plain_peer(*address), PEER_IDLE),
        Place::Own { upstream } => (plain_peer(resolve(upstream).await?), AGENT_IDLE),
    };
    peer.options.connection_timeout = Some(timeouts.connect);
    peer.options.total_connection_timeout = Some(timeouts.connect);
    peer.options.idle_timeout = Some(idle);
    peer.options.http_upstream_request_policy.h1_upgrade = H1UpgradePolicy::Deny;
    Ok(peer)
}

async fn resolve(upstream: &Uri) -> io::Result<SocketAddr> {
    let host = upstream.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = upstream.port_u16().unwrap_or(80);
    if let Ok(ip) = host.parse() {
        return Ok(SocketAddr::new(ip, port));
    }
    let mut found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
    // Most local servers that are named `localhost` listen on 127.0.0.1 only.
    found.sort_by_key(|address| !address.is_ipv4());
    found.first().copied().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host has no address"))
}
