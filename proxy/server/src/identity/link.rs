//! One connection as pingora sees it: bytes, with or without TLS, and who proved to be at the other end.
//!
//! In: a connection of pingora's, TLS around it or not. Out: a [`Link`], found again below a session by downcast.
//! Invariant: the bytes of one request head arrive within the head's time limit, however slowly a peer drips them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use outrigger_model::identity::SpiffeId;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, Stream, TimingDigest,
    UniqueID, UniqueIDType,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_rustls::TlsStream;

use super::clocks::{HeadClock, ProgressClock};

/// A connection and what is known of its peer.
#[derive(Debug)]
pub struct Link {
    bytes: Bytes,
    peer: Option<Arc<SpiffeId>>,
    head: HeadClock,
    progress: ProgressClock,
}

#[derive(Debug)]
enum Bytes {
    Plain(Stream),
    Tls(Box<TlsStream<Stream>>),
}

impl Link {
    pub fn plain(stream: Stream, head_limit: Duration) -> Self {
        Self {
            bytes: Bytes::Plain(stream),
            peer: None,
            head: HeadClock::new(head_limit),
            progress: ProgressClock::default(),
        }
    }

    pub fn tls(stream: TlsStream<Stream>, peer: SpiffeId, head_limit: Duration) -> Self {
        Self {
            bytes: Bytes::Tls(Box::new(stream)),
            peer: Some(Arc::new(peer)),
            head: HeadClock::new(head_limit),
            progress: ProgressClock::default(),
        }
    }

    /// The link below a session, if the session runs on one.
    pub fn below(stream: &Stream) -> Option<&Self> {
        stream.as_any().downcast_ref()
    }

    /// What the other end proved; none on a plain connection.
    pub fn peer(&self) -> Option<&Arc<SpiffeId>> {
        self.peer.as_ref()
    }

    /// From now on the next byte begins a request head.
    pub fn expect_head(&self) {
        self.head.expect();
    }

    /// The request head is complete; what follows may take as long as it likes.
    pub fn head_arrived(&self) {
        self.head.stop();
    }

    /// The call on this connection must make progress within `limit`, or reading from it fails.
    pub fn expect_progress_within(&self, limit: Duration) {
        self.progress.expect_within(limit);
    }

    /// The call may take as long as it likes.
    pub fn expect_no_progress(&self) {
        self.progress.stop();
    }

    /// Whether reading failed because the call made no progress.
    pub fn is_late(&self) -> bool {
        self.progress.is_late()
    }

    fn socket(&self) -> &Stream {
        match &self.bytes {
            Bytes::Plain(stream) => stream,
            Bytes::Tls(stream) => stream.get_ref().0,
        }
    }

    fn socket_mut(&mut self) -> &mut Stream {
        match &mut self.bytes {
            Bytes::Plain(stream) => stream,
            Bytes::Tls(stream) => stream.get_mut().0,
        }
    }
}

impl AsyncRead for Link {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let link = self.get_mut();
        let before = buffer.filled().len();
        let result = match &mut link.bytes {
            Bytes::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Bytes::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        };
        if matches!(result, Poll::Ready(Ok(()))) && buffer.filled().len() > before {
            return Poll::Ready(link.head.bytes_came());
        }
        if result.is_pending() {
            return link.progress.poll(cx);
        }
        result
    }
}

impl AsyncWrite for Link {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().bytes {
            Bytes::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Bytes::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().bytes {
            Bytes::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Bytes::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().bytes {
            Bytes::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Bytes::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().bytes {
            Bytes::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
            Bytes::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.bytes {
            Bytes::Plain(stream) => stream.is_write_vectored(),
            Bytes::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

#[async_trait]
impl Shutdown for Link {
    async fn shutdown(&mut self) {
        // The connection is given up either way: there is nobody to tell that closing it failed.
        let _ = AsyncWriteExt::shutdown(self).await;
    }
}

impl UniqueID for Link {
    fn id(&self) -> UniqueIDType {
        self.socket().id()
    }
}

// Left at its defaults on purpose: pingora's digest of a TLS connection has no room for a SPIFFE id; `peer` has.
impl Ssl for Link {}

impl GetTimingDigest for Link {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.socket().get_timing_digest()
    }

    fn get_read_pending_time(&self) -> Duration {
        self.socket().get_read_pending_time()
    }

    fn get_write_pending_time(&self) -> Duration {
        self.socket().get_write_pending_time()
    }
}

impl GetProxyDigest for Link {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.socket().get_proxy_digest()
    }

    fn set_proxy_digest(&mut self, digest: ProxyDigest) {
        self.socket_mut().set_proxy_digest(digest);
    }
}

impl GetSocketDigest for Link {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.socket().get_socket_digest()
    }

    fn set_socket_digest(&mut self, digest: SocketDigest) {
        self.socket_mut().set_socket_digest(digest);
    }
}

impl Peek for Link {}
