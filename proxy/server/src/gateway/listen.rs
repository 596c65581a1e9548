//! One listener: accepts connections, greets them, and serves them until it is stopped.
//!
//! In: a bound socket, how connections begin, the side that they belong to. Out: a [`Listening`] with its real address.
//! pingora's service accepts and its streams carry the bytes; from the first byte on the connection is ours.
//! Invariant: at most `connections_max` are served at once, and none is left when `stop` returns.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use outrigger_proxy_core::mcp::facts::Caller;
use pingora::apps::ServerApp;
use pingora::listeners::{ListenerConfig, TcpSocketOptions};
use pingora::protocols::l4::stream::L4BufferSettings;
use pingora::protocols::{Stream, TcpKeepalive};
use pingora::server::{Fds, ListenFds, ShutdownWatch};
use pingora::services::Service as _;
use pingora::services::listening::Service;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::closing::{Closing, Place, Stage};
use super::connection;
use super::inside::Inside;
use super::serve::Side;
use super::wire::Wire;
use crate::identity::listener::Greeting;

// A caller whose machine is gone says no goodbye, and a stream has no limit on its quiet. Found out after 30 s of silence. Without a limit
// on what is unacknowledged: that would also end callers who read slowly.
const KEEP_ALIVE: TcpKeepalive = TcpKeepalive {
    idle: Duration::from_secs(15),
    interval: Duration::from_secs(5),
    count: 3,
    user_timeout: Duration::ZERO,
};

// For goodbyes on connections that nobody used while they were to part.
const LAST_GRACE: Duration = Duration::from_secs(1);

/// A running listener.
pub struct Listening {
    pub address: SocketAddr,
    stopping: watch::Sender<bool>,
    closing: Arc<Closing>,
    connections: TaskTracker,
    service: JoinHandle<()>,
    /// Calls that our own callers' calls make; they end after those.
    inside: Option<Inside>,
}

/// What the connections of one listener share.
struct Door {
    side: Side,
    greeting: Greeting,
    room: Arc<Semaphore>,
    closing: Arc<Closing>,
    connections: TaskTracker,
}

/// Opens a listener; port 0 takes any free one.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves connections of `listener` until the result is stopped. Must be called inside a tokio runtime.
pub fn listen(listener: TcpListener, greeting: Greeting, side: Side, connections_max: usize) -> io::Result<Listening> {
    let address = listener.local_addr()?;
    let closing = Arc::new(Closing::default());
    let connections = TaskTracker::new();
    let door = Door {
        side,
        greeting,
        room: Arc::new(Semaphore::new(connections_max.max(1))),
        closing: Arc::clone(&closing),
        connections: connections.clone(),
    };
    let name = address.to_string();
    let mut service = Service::new(name.clone(), door);
    let mut options = TcpSocketOptions::default();
    options.tcp_keepalive = Some(KEEP_ALIVE);
    let listening = ListenerConfig::tcp(&name).tcp_socket_options(options);
    service.add_listener(listening.l4_buffer(L4BufferSettings::unbuffered()));
    let mut sockets = Fds::new();
    sockets.add(name, listener.into_raw_fd());
    let sockets: ListenFds = Arc::new(sockets.into());
    let (stopping, stopped) = watch::channel(false);
    let service = tokio::spawn(async move { service.start_service(Some(sockets), stopped, 1).await });
    Ok(Listening { address, stopping, closing, connections, service, inside: None })
}

impl Listening {
    /// Ends `inside` together with this listener, once its connections have ended.
    pub fn with(self, inside: Option<Inside>) -> Self {
        Self { inside, ..self }
    }

    /// Goes on accepting, and tells whoever waits for a request or comes anew that none is read here any more.
    pub fn refuse(&self) {
        self.closing.go(Stage::Draining);
    }

    /// Goes on accepting and serving. Each connection is told to close with its next answer, and streams that clients open again end.
    pub fn part(&self) {
        self.closing.go(Stage::Parting);
    }

    /// Ends when no connection is left; others may come.
    pub async fn is_empty(&self) {
        self.connections.close();
        self.connections.wait().await;
    }

    /// Takes no more connections and closes idle ones, lets calls in flight go on for `grace`, then cuts what is left.
    pub async fn stop(mut self, grace: Duration) {
        self.close().await;
        self.end(grace).await;
    }

    /// Takes no more connections, because another process accepts them from the same socket. A caller who keeps his connection is
    /// told with its next answer to open another one, for `grace`; what is left then ends as in [`Listening::stop`].
    pub async fn hand_over(mut self, grace: Duration) {
        self.part();
        self.close().await;
        // What is left afterwards is idle, or takes longer than it may.
        let _ = tokio::time::timeout(grace, self.is_empty()).await;
        self.end(LAST_GRACE).await;
    }

    /// Ends the service that accepts.
    async fn close(&mut self) {
        // Nobody listening means that the service ended by itself; the rest still has to be waited for.
        let _ = self.stopping.send(true);
        if let Err(error) = (&mut self.service).await {
            warn!(%error, "a listener ended badly");
        }
    }

    async fn end(self, grace: Duration) {
        self.closing.go(Stage::Draining);
        if tokio::time::timeout(grace, self.is_empty()).await.is_err() {
            self.closing.go(Stage::Cut);
            self.is_empty().await;
        }
        if let Some(inside) = self.inside {
            inside.stop().await;
        }
    }
}

#[async_trait]
impl ServerApp for Door {
    async fn process_new(self: &Arc<Self>, stream: Stream, _stopping: &ShutdownWatch) -> Option<Stream> {
        let place = self.closing.admit();
        // In a task of its own, because pingora's holds on to what accepting needed.
        let door = Arc::clone(self);
        self.connections.spawn(async move { door.serve(stream, place).await });
        None
    }
}

impl Door {
    async fn serve(&self, stream: Stream, place: Place) {
        let Ok(_room) = self.room.try_acquire() else {
            debug!("a connection was closed because there are too many");
            return;
        };
        // In a box, so that what only the greeting needs is given back.
        match Box::pin(self.greeting.greet(stream)).await {
            Ok((link, peer)) => {
                let place = place.of(peer.map(|peer| Caller::new(&peer.to_string())));
                connection::serve(&self.side, Wire::new(link), &place).await;
            }
            Err(error) => debug!(error = &error as &dyn std::error::Error, "a connection was refused"),
        }
    }
}
