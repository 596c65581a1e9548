//! The accepting side: what happens on a connection before its first request.
//!
//! In: an accepted connection. Out: a [`Link`] to somebody who may come in, or nothing.
//! Never here: HTTP. Invariant: with TLS on, what comes out has a client certificate of our mesh; a handshake ends in time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use outrigger_identity::{
    Application, Expected, Material, PeerError, Role, ServerConfigError, server_config, spiffe_id_of,
};
use outrigger_model::identity::SpiffeId;
use pingora::protocols::Stream;
use tokio_rustls::TlsAcceptor;

use super::link::Link;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// How connections of one listener begin.
#[derive(Clone)]
pub struct Greeting {
    tls: Option<TlsAcceptor>,
}

/// Why a connection was given up before its first request.
#[derive(Debug, thiserror::Error)]
pub enum GreetingError {
    #[error("the TLS handshake failed")]
    Handshake(#[from] io::Error),
    #[error("the TLS handshake took too long")]
    Late,
    #[error("the peer names no party of this mesh")]
    Peer(#[from] PeerError),
}

impl Greeting {
    /// Connections without TLS.
    pub const fn plain() -> Self {
        Self { tls: None }
    }

    /// Connections from proxies of our trust domain, and from control, through which operators may call.
    pub fn mutual_tls(material: &Material) -> Result<Self, ServerConfigError> {
        let expected = Expected::AnyOf(material.domain().clone(), &[Role::Proxy, Role::Control]);
        let config = server_config(material, expected, Application::Either)?;
        Ok(Self { tls: Some(TlsAcceptor::from(Arc::new(config))) })
    }

    /// Does what a connection needs before it can carry requests; also tells who is at the other end, if that is proved.
    pub async fn greet(&self, stream: Stream) -> Result<(Link, Option<SpiffeId>), GreetingError> {
        let Some(acceptor) = &self.tls else { return Ok((Link::Accepted(stream), None)) };
        let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream));
        let tls = handshake.await.map_err(|_| GreetingError::Late)??;
        let certificate = tls.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let peer = spiffe_id_of(certificate.ok_or(PeerError::Unreadable)?)?;
        Ok((Link::AcceptedTls(Box::new(tls)), Some(peer)))
    }
}
