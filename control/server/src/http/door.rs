//! Lets in a bounded number of connections to the operator API.

use std::net::SocketAddr;

use axum::extract::connect_info;
use axum::serve::{IncomingStream, Listener};
use outrigger_identity::{AcceptLimits, Accepted, Incoming};
use tokio::net::TcpListener;
use tokio_stream::StreamExt;
use tonic::transport::server::Connected;

use crate::caller::Caller;

/// Operators, dashboards and scrapers, and agents without a proxy, which keep one open each; further connections wait in the kernel's
/// queue.
const CONNECTIONS_MAX: usize = 20_000;

/// The accepting end.
#[derive(Debug)]
pub struct Door {
    incoming: Incoming,
    address: SocketAddr,
}

impl Door {
    pub fn open(listener: TcpListener) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let limits = AcceptLimits { connections_max: CONNECTIONS_MAX, ..AcceptLimits::default() };
        Ok(Self { incoming: Incoming::start(listener, None, limits), address })
    }
}

impl Listener for Door {
    type Io = Accepted;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Accepted, SocketAddr) {
        match self.incoming.next().await {
            Some(Ok(accepted)) => {
                let remote = accepted.connect_info().remote;
                (accepted, remote)
            }
            // The accepting task has ended, because the process does.
            Some(Err(_)) | None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl connect_info::Connected<IncomingStream<'_, Door>> for Caller {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(*stream.remote_addr())
    }
}
