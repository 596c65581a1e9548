//! A stream's body on its way to the gateway.
//!
//! In: the body as frames bring it. Out: bytes of HTTP/1.1 in the pipe.
//! Invariant: the caller may send more only when what it sent was taken; a body that breaks off never looks whole.

use std::future::poll_fn;
use std::io::Write as _;

use bytes::Bytes;
use h2::RecvStream;
use outrigger_proxy_core::http2::request::BodyAs;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// The caller took the request back, its connection is gone, or its body is not as long as it said.
#[derive(Debug)]
pub struct Broken;

/// Passes the body to its end. What the gateway does not want any more is read all the same.
pub async fn upload(mut body: RecvStream, body_as: BodyAs, mut pipe: impl AsyncWrite + Unpin) -> Result<(), Broken> {
    let (mut passed, mut wanted) = (0_u64, true);
    while let Some(data) = poll_fn(|cx| body.poll_data(cx)).await {
        let data = data.map_err(|_| Broken)?;
        let count = data.len();
        passed = passed.saturating_add(count as u64);
        // A chunk of size zero would be the end.
        if count > 0 && wanted {
            wanted = pipe.write_all(&framed(data, body_as)).await.is_ok();
        }
        body.flow_control().release_capacity(count).map_err(|_| Broken)?;
    }
    match body_as {
        // An answer that came before the end of the body is no failure of the body.
        BodyAs::Chunks => drop(pipe.write_all(b"0\r\n\r\n").await),
        BodyAs::Length(length) if length != passed => return Err(Broken),
        BodyAs::Length(_) | BodyAs::None => {}
    }
    Ok(())
}

fn framed(data: Bytes, body_as: BodyAs) -> Bytes {
    if body_as != BodyAs::Chunks {
        return data;
    }
    let mut chunk = Vec::with_capacity(data.len() + 16);
    // Writing to memory does not fail.
    let _ = write!(chunk, "{:x}\r\n", data.len());
    chunk.extend_from_slice(&data);
    chunk.extend_from_slice(b"\r\n");
    chunk.into()
}
