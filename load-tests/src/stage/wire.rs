//! A wire between two addresses that can be cut, as when the host at its other end falls silent.
//!
//! In: where it leads. Out: an address to connect to.
//! Cut, it neither closes nor answers: what was connected stays so and is not read, and who connects anew hears nothing,
//! because the queue of the listener is full and Linux then drops what asks for a connection.
//! What differs from a host without power: bytes on connections that are open are still acknowledged by the kernel.
//! Invariant: a wire that cannot be made silent on this machine is an error, and not a measurement.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::part::StageError;

/// Connections that wait to be accepted; few, so that the queue is soon full.
const QUEUE: u32 = 1;
/// Connections that are made to fill the queue.
const FILLERS_MAX: usize = 16;
/// A connection that is not there after this time will not come.
const SILENT_AFTER: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub struct Wire {
    pub address: SocketAddr,
    is_cut: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    /// They keep the queue full.
    fillers: Vec<TcpStream>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Wire {
    /// `to` is asked for at each connection, so that it may be known later than the wire.
    pub fn lay(to: watch::Receiver<Option<SocketAddr>>) -> Result<Self, StageError> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let listener = socket.listen(QUEUE)?;
        let address = listener.local_addr()?;
        let (is_cut, cut) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, to, cut));
        Ok(Self { address, is_cut, accepting, fillers: Vec::new() })
    }

    /// Falls silent. Returns when new connections hear nothing either.
    pub async fn cut(&mut self) -> Result<(), StageError> {
        self.is_cut.send_replace(true);
        for _ in 0..FILLERS_MAX {
            match timeout(SILENT_AFTER, TcpStream::connect(self.address)).await {
                Ok(stream) => self.fillers.push(stream?),
                Err(_) => return Ok(()),
            }
        }
        Err(StageError::InVain(format!("{} is silent; this machine answers although its queue is full", self.address)))
    }
}

async fn accept(listener: TcpListener, to: watch::Receiver<Option<SocketAddr>>, cut: watch::Receiver<bool>) {
    let mut is_cut = cut.clone();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = is_cut.wait_for(|is_cut| *is_cut) => break,
            accepted = listener.accept() => accepted,
        };
        let (Ok((near, _)), Some(to)) = (accepted, *to.borrow()) else { continue };
        tokio::spawn(relay(near, to, cut.clone()));
    }
    // The listener stays open, and nobody accepts.
    std::future::pending::<()>().await;
    drop(listener);
}

async fn relay(mut near: TcpStream, to: SocketAddr, mut cut: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(to).await else { return };
    if near.set_nodelay(true).and(far.set_nodelay(true)).is_err() {
        return;
    }
    let is_silent = tokio::select! {
        biased;
        cut = cut.wait_for(|is_cut| *is_cut) => cut.is_ok(),
        _ = copy_bidirectional(&mut near, &mut far) => false,
    };
    if is_silent {
        // Until the wire itself goes: both ends stay connected to nothing.
        while cut.changed().await.is_ok() {}
    }
}

#[cfg(test)]
mod tests;
