//! The accepting end of control's gRPC server.
//!
//! In: a TCP listener, and a TLS configuration if the mesh has identities. Out: a stream of connections that tonic serves,
//! each carrying who connected as [`PeerInfo`] in the request extensions.
//! Never here: what a peer may do.
//! Invariant: a peer that dawdles in its handshake holds one of a bounded number of places, for a bounded time.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use outrigger_model::identity::SpiffeId;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::Connected;
use tracing::{debug, warn};

use crate::peer::spiffe_id_of;
use crate::stream::Stream;

// After a failed accept (no more file descriptors) the listener rests, rather than spin.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// How much an accepting end takes on at once.
#[derive(Debug, Clone, Copy)]
pub struct AcceptLimits {
    pub handshake_timeout: Duration,
    pub handshakes_max: usize,
    /// Open connections; further ones wait in the kernel's queue.
    pub connections_max: usize,
}

impl Default for AcceptLimits {
    fn default() -> Self {
        Self { handshake_timeout: Duration::from_secs(5), handshakes_max: 256, connections_max: 20_000 }
    }
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    pub remote: SocketAddr,
    /// What the peer proved; none on a plain connection.
    pub id: Option<SpiffeId>,
}

/// One accepted connection.
#[derive(Debug)]
pub struct Accepted {
    stream: Stream,
    peer: PeerInfo,
    _place: OwnedSemaphorePermit,
}

/// The accepted connections of one listener. Dropping it closes the listener and ends handshakes under way.
#[derive(Debug)]
pub struct Incoming {
    accepted: mpsc::Receiver<Accepted>,
    task: JoinHandle<()>,
}

impl Incoming {
    /// Starts to accept. `tls` none means plain connections.
    pub fn start(listener: TcpListener, tls: Option<Arc<ServerConfig>>, limits: AcceptLimits) -> Self {
        let (sender, accepted) = mpsc::channel(limits.handshakes_max.max(1));
        let gate = Gate {
            acceptor: tls.map(TlsAcceptor::from),
            limits,
            handshakes: Arc::new(Semaphore::new(limits.handshakes_max.max(1))),
            places: Arc::new(Semaphore::new(limits.connections_max.max(1))),
        };
        Self { accepted, task: tokio::spawn(accept(listener, gate, sender)) }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl tokio_stream::Stream for Incoming {
    type Item = io::Result<Accepted>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.accepted.poll_recv(cx).map(|accepted| accepted.map(Ok))
    }
}

struct Gate {
    acceptor: Option<TlsAcceptor>,
    limits: AcceptLimits,
    handshakes: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

async fn accept(listener: TcpListener, gate: Gate, sender: mpsc::Sender<Accepted>) {
    let mut handshakes = JoinSet::new();
    loop {
        let places = Arc::clone(&gate.places);
        let waiting = Arc::clone(&gate.handshakes);
        // Neither semaphore is ever closed; if one were, there would be nothing left to accept.
        let (Ok(place), Ok(turn)) = (places.acquire_owned().await, waiting.acquire_owned().await) else { return };
        while handshakes.try_join_next().is_some() {}
        let (tcp, remote) = match listener.accept().await {
            Ok(connection) => connection,
            Err(error) => {
                warn!(%error, "accepting a connection failed");
                tokio::time::sleep(ACCEPT_REST).await;
                continue;
            }
        };
        let (acceptor, sender, timeout) = (gate.acceptor.clone(), sender.clone(), gate.limits.handshake_timeout);
        handshakes.spawn(async move {
            let _turn = turn;
            match tokio::time::timeout(timeout, greet(tcp, remote, acceptor)).await {
                Ok(Ok((stream, peer))) => {
                    // The receiver is gone only when the server is: nobody is left to tell.
                    let _ = sender.send(Accepted { stream, peer, _place: place }).await;
                }
                Ok(Err(error)) => debug!(%remote, %error, "a peer was refused in its handshake"),
                Err(_) => debug!(%remote, "a peer did not finish its handshake in time"),
            }
        });
    }
}

async fn greet(tcp: TcpStream, remote: SocketAddr, acceptor: Option<TlsAcceptor>) -> io::Result<(Stream, PeerInfo)> {
    tcp.set_nodelay(true)?;
    let Some(acceptor) = acceptor else { return Ok((Stream::Plain(tcp), PeerInfo { remote, id: None })) };
    let tls = acceptor.accept(tcp).await?;
    let certificate = tls.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let certificate =
        certificate.ok_or_else(|| io::Error::new(io::ErrorKind::PermissionDenied, "no client certificate"))?;
    let id = spiffe_id_of(certificate).map_err(|error| io::Error::new(io::ErrorKind::PermissionDenied, error))?;
    Ok((Stream::Tls(Box::new(tls.into())), PeerInfo { remote, id: Some(id) }))
}

impl Connected for Accepted {
    type ConnectInfo = PeerInfo;

    fn connect_info(&self) -> PeerInfo {
        self.peer.clone()
    }
}

impl AsyncRead for Accepted {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, parts)
    }
}
