//! Whether a port is open: the cheapest question, and the first to tell that a process is gone.
//!
//! In: a URL, how long to wait. Out: a [`Port`]. The connection is closed at once; nothing is sent on it.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::settings::AgentUrl;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    Open,
    /// Nobody listens: the process is gone.
    Closed,
    /// No answer in time, or an error that says little.
    Unclear,
}

pub(super) async fn look(url: &AgentUrl, patience: Duration) -> Port {
    match timeout(patience, TcpStream::connect((url.host(), url.port()))).await {
        Ok(Ok(_)) => Port::Open,
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Port::Closed,
        Ok(Err(_)) | Err(_) => Port::Unclear,
    }
}
