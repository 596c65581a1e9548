//! A gRPC channel to control.
//!
//! In: control's address, and our [`Material`] if the mesh has identities. Out: a tonic `Channel` that connects when it is used.
//! Invariant: with a material, bytes go only to `spiffe://<our domain>/control`; without one the connection is plain.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use outrigger_model::identity::SpiffeId;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

use crate::client::{Application, client_config, server_name_of};
use crate::material::Material;
use crate::stream::Stream;
use crate::verify::Expected;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

// A silent host is noticed after the sum of both, also on a stream on which nothing moves.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Why no channel can be made; a control that is away is no such reason.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    #[error("`{address}` is no address of control; write host:port, such as 127.0.0.1:17010")]
    Address { address: String, source: tonic::transport::Error },
    #[error("no TLS configuration can be made")]
    Tls(#[from] rustls::Error),
}

/// A channel to the control at `address` (host:port). It connects lazily and reconnects by itself.
pub fn channel(address: &str, material: Option<&Material>) -> Result<Channel, ChannelError> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|source| ChannelError::Address { address: address.to_owned(), source })?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    let tls = material.map(tls_to_control).transpose()?;
    Ok(endpoint.connect_with_connector_lazy(Dial { address: Arc::from(address), tls }))
}

fn tls_to_control(material: &Material) -> Result<Tls, rustls::Error> {
    let control = SpiffeId::control(material.domain().clone());
    let name = server_name_of(&control);
    let config = client_config(material, Expected::Exactly(control), Application::Http2)?;
    Ok(Tls { connector: TlsConnector::from(Arc::new(config)), name })
}

/// Opens connections to one address.
#[derive(Clone)]
struct Dial {
    address: Arc<str>,
    tls: Option<Tls>,
}

#[derive(Clone)]
struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl tonic::codegen::Service<http::Uri> for Dial {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Stream>>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: http::Uri) -> Self::Future {
        let dial = self.clone();
        Box::pin(async move { dial.open().await.map(TokioIo::new) })
    }
}

impl Dial {
    async fn open(self) -> io::Result<Stream> {
        let tcp = TcpStream::connect(&*self.address).await?;
        tcp.set_nodelay(true)?;
        let Some(tls) = self.tls else { return Ok(Stream::Plain(tcp)) };
        let stream = tls.connector.connect(tls.name, tcp).await?;
        Ok(Stream::Tls(Box::new(stream.into())))
    }
}
