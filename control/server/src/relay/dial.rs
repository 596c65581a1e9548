//! Opens the one connection that a call through control needs.
//!
//! In: a replica. Out: a connection to it, over mTLS where it has an identity.
//! Invariant: a replica with an identity is never spoken to before it proved it.

use std::sync::Arc;

use outrigger_identity::{Application, Expected, Material, client_config, server_name_of};
use outrigger_model::replica::Replica;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

#[derive(Debug, thiserror::Error)]
pub enum DialError {
    #[error("no connection")]
    Tcp(#[source] std::io::Error),
    #[error("it asks for mTLS, and control has no certificate; set `identity` in control's configuration")]
    NoMaterial,
    #[error("control's certificate cannot be used")]
    Tls(#[from] rustls::Error),
    #[error("it does not prove to be who it should")]
    Handshake(#[source] std::io::Error),
}

/// Both kinds of connections.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

pub async fn dial(replica: &Replica, material: Option<&Material>) -> Result<Box<dyn Wire>, DialError> {
    let tls = match (&replica.identity, material) {
        (None, _) => None,
        (Some(_), None) => return Err(DialError::NoMaterial),
        (Some(identity), Some(material)) => {
            let config = client_config(material, Expected::Exactly(identity.clone()), Application::Http1)?;
            Some((TlsConnector::from(Arc::new(config)), server_name_of(identity)))
        }
    };
    let tcp = TcpStream::connect(replica.address).await.map_err(DialError::Tcp)?;
    tcp.set_nodelay(true).map_err(DialError::Tcp)?;
    match tls {
        None => Ok(Box::new(tcp)),
        Some((connector, name)) => Ok(Box::new(connector.connect(name, tcp).await.map_err(DialError::Handshake)?)),
    }
}
