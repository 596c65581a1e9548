//! The connecting side: a connection to another proxy, which must prove to be the party we picked.
//!
//! In: a pingora peer whose server name is a SPIFFE id. Out: a TLS connection to exactly that party.
//! Never here: plain connections (pingora's own), pooling (pingora's own, keyed by address and identity).
//! Invariant: no byte of a request goes to a peer whose SPIFFE id was not compared first.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use outrigger_identity::{Application, Expected, Material, client_config, server_name_of};
use outrigger_model::identity::SpiffeId;
use pingora::connectors::http::custom::{self, Connection};
use pingora::protocols::l4::socket::SocketAddr as PingoraAddr;
use pingora::protocols::tls::CustomALPN;
use pingora::protocols::{ALPN, Stream, TcpKeepalive, l4};
use pingora::upstreams::peer::{HttpPeer, Peer};
use pingora::{Error, ErrorType, Result};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::link::Link;

const CONNECT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(2);

/// A host that vanished without a word is noticed after idle + interval × count, also under a quiet event stream.
pub const KEEP_ALIVE: TcpKeepalive = TcpKeepalive {
    idle: Duration::from_secs(15),
    interval: Duration::from_secs(5),
    count: 3,
    user_timeout: Duration::from_secs(30),
};

/// Connects to proxies of our mesh.
pub struct Connector {
    tls: Option<TlsConnector>,
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

    async fn connect(&self, address: SocketAddr, id: &SpiffeId) -> Result<Link> {
        let Some(tls) = &self.tls else {
            return Error::e_explain(ErrorType::InvalidCert, "the endpoint has an identity and this proxy has none");
        };
        let tcp = TcpStream::connect(address).await.map_err(|error| connect_error(&error))?;
        let mut socket = l4::stream::Stream::from(tcp);
        socket.set_nodelay()?;
        socket.set_keepalive(&KEEP_ALIVE)?;
        let socket: Stream = Box::new(socket);
        let tls = tls
            .connect(server_name_of(id), socket)
            .await
            .map_err(|error| Error::because(ErrorType::TLSHandshakeFailure, "with another proxy", error))?;
        let certificate = tls.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let certificate =
            certificate.ok_or_else(|| Error::explain(ErrorType::InvalidCert, "the peer has no certificate"))?;
        // The handshake let in any proxy of the mesh, because one configuration serves all; here it must be the one picked.
        let peer = Expected::Exactly(id.clone())
            .check(certificate)
            .map_err(|error| Error::because(ErrorType::InvalidCert, "of another proxy", error))?;
        Ok(Link::tls(tls.into(), peer, Duration::MAX))
    }
}

/// A peer that this connector serves: `address` must prove to be `id`.
pub fn identified_peer(address: SocketAddr, id: &SpiffeId) -> HttpPeer {
    let mut peer = HttpPeer::new(address, true, id.to_string());
    peer.options.alpn = ALPN::Custom(CustomALPN::new(b"outrigger".to_vec()));
    peer
}

/// A peer without an identity, reached in plain text.
pub fn plain_peer(address: SocketAddr) -> HttpPeer {
    let mut peer = HttpPeer::new(address, false, String::new());
    peer.options.tcp_keepalive = Some(KEEP_ALIVE);
    peer
}

#[async_trait]
impl custom::Connector for Connector {
    type Session = ();

    async fn get_http_session<P: Peer + Send + Sync + 'static>(&self, peer: &P) -> Result<(Connection<()>, bool)> {
        let PingoraAddr::Inet(address) = peer.address() else {
            return Error::e_explain(ErrorType::ConnectError, "another proxy has an address with a port");
        };
        let id: SpiffeId = peer
            .sni()
            .parse()
            .map_err(|error| Error::because(ErrorType::InvalidCert, "the peer to connect to has no identity", error))?;
        let limit = peer.total_connection_timeout().unwrap_or(CONNECT_TIMEOUT_DEFAULT);
        match tokio::time::timeout(limit, self.connect(*address, &id)).await {
            Ok(link) => Ok((Connection::Stream(Box::new(link?)), false)),
            Err(_) => Error::e_explain(ErrorType::ConnectTimedout, "connecting to another proxy"),
        }
    }

    async fn reused_http_session<P: Peer + Send + Sync + 'static>(&self, _peer: &P) -> Option<()> {
        None
    }

    async fn release_http_session<P: Peer + Send + Sync + 'static>(
        &self,
        _session: (),
        _peer: &P,
        _idle_timeout: Option<Duration>,
    ) {
    }
}

fn connect_error(error: &std::io::Error) -> Box<Error> {
    let kind = match error.kind() {
        std::io::ErrorKind::ConnectionRefused => ErrorType::ConnectRefused,
        std::io::ErrorKind::TimedOut => ErrorType::ConnectTimedout,
        std::io::ErrorKind::NetworkUnreachable | std::io::ErrorKind::HostUnreachable => ErrorType::ConnectNoRoute,
        _ => ErrorType::ConnectError,
    };
    Error::explain(kind, error.to_string())
}
