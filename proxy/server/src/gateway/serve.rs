//! One listener: accepts connections, greets them, and runs requests on them until it is stopped.
//!
//! In: a bound socket, how connections begin, and the phases of a request. Out: a [`Listening`] with its real address.
//! Why this way: pingora hands a proxy with a connector of its own only to its own `Service`. So the service accepts, and every
//! connection comes straight to us through its hook for custom protocols; what happens on it is ours.
//! Invariant: at most `connections_max` are served at once, and none is left when `stop` returns.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::time::Duration;

use pingora::apps::{HttpServerApp, HttpServerOptions};
use pingora::listeners::ListenerConfig;
use pingora::protocols::Stream;
use pingora::protocols::http::ServerSession;
use pingora::protocols::l4::stream::L4BufferSettings;
use pingora::proxy::{HttpProxy, ProcessCustomSession, ProxyHttp, ProxyServiceBuilder};
use pingora::server::configuration::ServerConf;
use pingora::server::{Fds, ListenFds};
use pingora::services::Service as _;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::identity::connector::Connector;
use crate::identity::link::Link;
use crate::identity::listener::Greeting;

// A connection that sends nothing is closed after this long; the same between requests.
const IDLE_SECONDS: u64 = 75;

// Too small a pool costs three times the CPU, because connections are opened for single calls.
const UPSTREAM_POOL_CONNECTIONS: usize = 1_024;

// Of one connection, for as long as it is open. pingora's own is 64 KiB; a head and a usual body fit into this one.
const READ_BUFFER_BYTES: usize = 4 * 1024;

// How often a call may be tried is decided in the core; this only ends a loop that would never end.
const ATTEMPTS_CEILING: usize = 256;

/// A running listener.
pub struct Listening {
    pub address: SocketAddr,
    stopping: watch::Sender<bool>,
    cut: CancellationToken,
    connections: TaskTracker,
    service: JoinHandle<()>,
}

/// What is shared by the connections of one listener.
#[derive(Clone)]
struct Floor {
    greeting: Greeting,
    places: Arc<Semaphore>,
    connections: TaskTracker,
    cut: CancellationToken,
}

/// Opens a listener; port 0 takes any free one.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves connections of `listener` with `phases` until the result is stopped. Must be called inside a tokio runtime.
pub fn serve<P>(
    listener: TcpListener,
    greeting: Greeting,
    connector: Connector,
    phases: P,
    connections_max: usize,
) -> io::Result<Listening>
where
    P: ProxyHttp + Send + Sync + 'static,
    P::CTX: Send + Sync + 'static,
{
    let address = listener.local_addr()?;
    let floor = Floor {
        greeting,
        places: Arc::new(Semaphore::new(connections_max.max(1))),
        connections: TaskTracker::new(),
        cut: CancellationToken::new(),
    };
    let mut options = HttpServerOptions::default();
    options.force_custom = true;
    let mut service = ProxyServiceBuilder::new(&Arc::new(pingora_conf()), phases)
        .custom(connector, hook(floor.clone()))
        .server_options(options)
        .build();
    let name = address.to_string();
    let buffer = L4BufferSettings::default().read(READ_BUFFER_BYTES);
    service.add_listener(ListenerConfig::tcp(&name).l4_buffer(buffer));
    let mut sockets = Fds::new();
    sockets.add(name, listener.into_raw_fd());
    let sockets: ListenFds = Arc::new(sockets.into());
    let (stopping, stopped) = watch::channel(false);
    let service = tokio::spawn(async move { service.start_service(Some(sockets), stopped, 1).await });
    Ok(Listening { address, stopping, cut: floor.cut, connections: floor.connections, service })
}

impl Listening {
    /// Takes no more connections and closes idle ones, lets calls in flight go on for `grace`, then cuts what is left.
    pub async fn stop(self, grace: Duration) {
        // Nobody listening means that the service ended by itself; the rest still has to be waited for.
        let _ = self.stopping.send(true);
        if let Err(error) = self.service.await {
            warn!(%error, "a listener ended badly");
        }
        self.connections.close();
        if tokio::time::timeout(grace, self.connections.wait()).await.is_err() {
            self.cut.cancel();
            self.connections.wait().await;
        }
    }
}

fn pingora_conf() -> ServerConf {
    ServerConf {
        upstream_keepalive_pool_size: UPSTREAM_POOL_CONNECTIONS,
        max_retries: ATTEMPTS_CEILING,
        // pingora's own TLS is never used; without this it reads all certificates of the machine, several times.
        ca_file: Some("/dev/null".to_owned()),
        ..ServerConf::default()
    }
}

/// pingora calls this with every connection that its service accepted.
fn hook<P>(floor: Floor) -> ProcessCustomSession<P, Connector>
where
    P: ProxyHttp + Send + Sync + 'static,
    P::CTX: Send + Sync + 'static,
{
    Arc::new(move |proxy: Arc<HttpProxy<P, Connector>>, stream: Stream, stopping: &watch::Receiver<bool>| {
        let floor = floor.clone();
        let stopping = stopping.clone();
        let connections = floor.connections.clone();
        Box::pin(connections.track_future(async move {
            let Ok(_place) = Arc::clone(&floor.places).try_acquire_owned() else {
                debug!("a connection was closed because there are too many");
                return None;
            };
            tokio::select! {
                () = floor.cut.cancelled() => (),
                () = converse(proxy, &floor.greeting, stream, &stopping) => (),
            }
            None
        }))
    })
}

/// Greets a connection and serves its requests, one after the other.
async fn converse<P>(
    proxy: Arc<HttpProxy<P, Connector>>,
    greeting: &Greeting,
    stream: Stream,
    stopping: &watch::Receiver<bool>,
) where
    P: ProxyHttp + Send + Sync + 'static,
    P::CTX: Send + Sync + 'static,
{
    let link = match greeting.greet(stream).await {
        Ok(link) => link,
        Err(error) => {
            debug!(error = &error as &dyn std::error::Error, "a connection was refused");
            return;
        }
    };
    link.expect_head();
    let mut session = ServerSession::new_http1(Box::new(link));
    session.set_keepalive((!*stopping.borrow()).then_some(IDLE_SECONDS));
    // Without this a request that is sent before the answer to the one before it breaks both.
    session.set_pipelining_enabled(true);
    let mut reused = proxy.process_new_http(session, stopping).await;
    while let Some((stream, settings)) = reused.map(|reused| reused.consume()) {
        if let Some(link) = Link::below(&stream) {
            link.expect_head();
        }
        let mut session = ServerSession::new_http1(stream);
        if let Some(settings) = settings {
            settings.apply_to_session(&mut session);
        }
        reused = proxy.process_new_http(session, stopping).await;
    }
}

/// Called once per request, when its head is read: pingora would keep the connection for ever after it.
pub fn begin_request(session: &mut ServerSession) {
    if let Some(link) = session.stream().and_then(Link::below) {
        link.head_arrived();
    }
    if session.get_keepalive().is_some() {
        session.set_keepalive(Some(IDLE_SECONDS));
    }
}
