//! The connecting side: a connection to an agent, or to another proxy, which must prove to be the party we picked.
//!
//! In: an address, and the identity that must be found there. Out: a [`Link`].
//! Never here: which endpoint, and connections that are kept for later.
//! Invariant: no byte of a request goes to a peer whose SPIFFE id was not compared first.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use outrigger_identity::{Application, Expected, Material, PeerError, client_config, server_name_of};
use outrigger_model::identity::SpiffeId;
use pingora::protocols::TcpKeepalive;
use pingora::protocols::l4::ext::set_tcp_keepalive;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::link::Link;

/// A proxy reads what it is sent, or lets its kernel say that it is still there; a host that says nothing for ten seconds is
/// gone, whether a call waits on it, was just sent to it, or nothing moves. `count` does not count where `user_timeout` is set.
const TO_PEERS: TcpKeepalive = TcpKeepalive {
    idle: Duration::from_secs(5),
    interval: Duration::from_secs(1),
    count: 5,
    user_timeout: Duration::from_secs(10),
};

/// An agent is nearly always on this host, which does not vanish from itself; and it may leave a large body unread for a while,
/// which Linux counts as silence.
const TO_AGENTS: TcpKeepalive = TcpKeepalive {
    idle: Duration::from_secs(15),
    interval: Duration::from_secs(5),
    count: 3,
    user_timeout: Duration::from_secs(30),
};

/// Connects to agents, and to proxies of our mesh.
pub struct Connector {
    tls: Option<TlsConnector>,
}

/// Why there is no connection; nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("no connection")]
    Tcp(#[source] io::Error),
    #[error("connecting took too long")]
    Late,
    #[error("the socket takes no options")]
    Socket(#[source] Box<pingora::Error>),
    #[error("the endpoint has an identity and this proxy has none")]
    NoIdentity,
    #[error("the TLS handshake failed")]
    Handshake(#[source] io::Error),
    #[error("the endpoint is somebody else")]
    Peer(#[from] PeerError),
}

impl ConnectError {
    /// Whether a human has to look at certificates.
    pub const fn is_about_identity(&self) -> bool {
        matches!(self, Self::NoIdentity | Self::Handshake(_) | Self::Peer(_))
    }
}

impl Connector {
    /// With a material the connector speaks mutual TLS; without one it refuses every peer that has an identity.
    pub fn new(material: Option<&Material>) -> Result<Self, rustls::Error> {
        let config = |material: &Material| {
            let expected = Expected::proxies(material.domain().clone());
            client_config(material, expected, Application::Http1).map(Arc::new)
        };
        let tls = material.map(config).transpose()?.map(TlsConnector::from);
        Ok(Self { tls })
    }

    /// A new connection, within `limit` for all of it.
    pub async fn connect(
        &self,
        address: SocketAddr,
        identity: Option<&SpiffeId>,
        limit: Duration,
    ) -> Result<Link, ConnectError> {
        let connecting = async {
            match identity {
                Some(id) => self.proven(address, id).await,
                None => Ok(Link::Connected(socket(address, &TO_AGENTS).await?)),
            }
        };
        tokio::time::timeout(limit, connecting).await.map_err(|_| ConnectError::Late)?
    }

    async fn proven(&self, address: SocketAddr, id: &SpiffeId) -> Result<Link, ConnectError> {
        let tls = self.tls.as_ref().ok_or(ConnectError::NoIdentity)?;
        let tls = tls
            .connect(server_name_of(id), socket(address, &TO_PEERS).await?)
            .await
            .map_err(ConnectError::Handshake)?;
        let certificate = tls.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        // The handshake let in any proxy of the mesh, because one configuration serves all; here it must be the one picked.
        Expected::Exactly(id.clone()).check(certificate.ok_or(PeerError::Unreadable)?)?;
        Ok(Link::ConnectedTls(Box::new(tls)))
    }
}

async fn socket(address: SocketAddr, keep_alive: &TcpKeepalive) -> Result<TcpStream, ConnectError> {
    let socket = TcpStream::connect(address).await.map_err(ConnectError::Tcp)?;
    socket.set_nodelay(true).map_err(ConnectError::Tcp)?;
    set_tcp_keepalive(&socket, keep_alive).map_err(ConnectError::Socket)?;
    Ok(socket)
}
