//! One connection: bytes, with or without TLS.
//!
//! In: a socket that pingora accepted or that we connected, with TLS around it or not, or a pipe inside this process. Out: a [`Link`].
//! Invariant: whoever holds a link with TLS has verified the other end; there is no other way to make one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use pingora::protocols::Stream;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::{client, server};

/// A connection that carries requests.
#[derive(Debug)]
pub enum Link {
    Accepted(Stream),
    AcceptedTls(Box<server::TlsStream<Stream>>),
    Connected(TcpStream),
    ConnectedTls(Box<client::TlsStream<TcpStream>>),
    /// The other end is a part of this process that speaks HTTP/1.1 to the gateway as any caller does.
    Inside(DuplexStream),
}

impl Link {
    /// Tells the other end at once that its bytes came, where that matters.
    ///
    /// A server whose socket has Nagle's algorithm on (uvicorn below some frameworks) writes the head of an answer and holds its body back
    /// until the head is acknowledged, which the kernel delays for 40 ms. The kernel takes the option back by itself.
    pub fn acknowledge(&self) {
        if let Self::Connected(socket) = self {
            // Without it the answer is late and not wrong.
            let _ = socket.set_quickack(true);
        }
    }
}

impl AsyncRead for Link {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Accepted(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::AcceptedTls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
            Self::Connected(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::ConnectedTls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
            Self::Inside(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Link {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Accepted(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::AcceptedTls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
            Self::Connected(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::ConnectedTls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
            Self::Inside(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            // Nothing is buffered: what was written is with the kernel.
            Self::Accepted(_) | Self::Connected(_) | Self::Inside(_) => Poll::Ready(Ok(())),
            Self::AcceptedTls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
            Self::ConnectedTls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Accepted(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::AcceptedTls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Self::Connected(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::ConnectedTls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Self::Inside(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
