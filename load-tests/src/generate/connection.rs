//! One HTTP/1.1 connection with keep-alive, opened again when the other side has closed it between calls.
//!
//! In: requests. Out: responses, or [`CallError`].
//! Invariant: a request is sent once; what fails on the way is the caller's to count.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long an answer, or the next event of a stream, may take.
pub const ANSWER_MAX: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("{0} does not accept a connection")]
    Connect(SocketAddr, #[source] std::io::Error),
    #[error("connection broke")]
    Broken(#[from] hyper::Error),
    #[error("no answer in time")]
    Slow,
}

#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self, CallError> {
        let (sender, driver) = open(address).await?;
        Ok(Self { address, sender, driver })
    }

    /// Sends a request, and gives the head of the answer.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, CallError> {
        timeout(ANSWER_MAX, self.exchange(request)).await.map_err(|_| CallError::Slow)?
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, CallError> {
        if self.sender.ready().await.is_err() {
            self.reopen().await?;
        }
        Ok(self.sender.send_request(request).await?)
    }

    async fn reopen(&mut self) -> Result<(), CallError> {
        let (sender, driver) = open(self.address).await?;
        self.driver.abort();
        self.sender = sender;
        self.driver = driver;
        Ok(())
    }
}

async fn open(address: SocketAddr) -> Result<(SendRequest<Full<Bytes>>, JoinHandle<()>), CallError> {
    let stream = TcpStream::connect(address).await.map_err(|cause| CallError::Connect(address, cause))?;
    stream.set_nodelay(true).map_err(|cause| CallError::Connect(address, cause))?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // How it ends shows in the next call.
    let driver = tokio::spawn(async move { drop(connection.await) });
    Ok((sender, driver))
}
