//! Whether a port is open: the cheapest question, and the first to tell that a process is gone.
//!
//! In: a URL, how long to wait. Out: a [`Port`]; an open one comes with its connection, on which nothing is ever sent.
//! Its end tells sooner than the next look that the process may be gone.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::config::settings::AgentUrl;

#[derive(Debug)]
pub(super) enum Port {
    Open(TcpStream),
    /// Nobody listens: the process is gone.
    Closed,
    /// No answer in time, or an error that says little.
    Unclear,
}

pub(super) async fn look(url: &AgentUrl, patience: Duration) -> Port {
    match timeout(patience, TcpStream::connect((url.host(), url.port()))).await {
        Ok(Ok(stream)) => Port::Open(stream),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Port::Closed,
        Ok(Err(_)) | Err(_) => Port::Unclear,
    }
}

/// Ends when nobody listens any more, which is looked at whenever `held` ends, and no more often than every `pause`.
pub(super) async fn until_gone(url: &AgentUrl, held: &mut TcpStream, patience: Duration, pause: Duration) {
    loop {
        until_closed(Some(held)).await;
        match look(url, patience).await {
            Port::Open(again) => *held = again,
            Port::Closed => return,
            Port::Unclear => {}
        }
        sleep(pause).await;
    }
}

/// Ends when the other side closes the connection or sends on it, which an HTTP server does not do first.
pub(super) async fn until_closed(stream: Option<&TcpStream>) {
    match stream {
        // An error tells the same as the end: it is time to look.
        Some(stream) => drop(stream.readable().await),
        None => std::future::pending().await,
    }
}
