//! A page of the own agent that tells whether it is well.
//!
//! In: where it is, and what it says while all is well. Out: nothing, or what was found instead.
//! Invariant: holds at most [`BODY_BYTES_MAX`] bytes of it, and follows it nowhere else.

use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::config::settings::Page;

/// Largest page that is read for what it says.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Why the page does not say that all is well.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error("no connection to its health page")]
    Connect(#[source] std::io::Error),
    #[error("its health page broke off")]
    Broken(#[source] hyper::Error),
    #[error("its health page cannot be asked for")]
    Request(#[source] http::Error),
    #[error("its health page answers {0}")]
    Status(StatusCode),
    #[error("its health page is larger than {BODY_BYTES_MAX} bytes")]
    Large,
    #[error("its health page is not JSON")]
    NotJson,
    #[error("`{0}` of its health page is not as expected")]
    Differs(String),
}

pub(super) async fn look(page: &Page) -> Result<(), PageError> {
    let stream = TcpStream::connect((page.url.host(), page.url.port())).await.map_err(PageError::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(PageError::Broken)?;
    let request = Request::get(page.url.path_and_query())
        .header(HOST, page.url.authority())
        .header(USER_AGENT, concat!("outrigger/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/json, */*;q=0.5")
        .header(CONNECTION, "close");
    let request = request.body(Empty::<Bytes>::new()).map_err(PageError::Request)?;
    let talk = async move { judge(page, sender.send_request(request).await.map_err(PageError::Broken)?).await };
    tokio::pin!(talk);
    tokio::select! {
        found = &mut talk => return found,
        // The server closed; what it sent before is still to be read.
        _ = connection => {}
    }
    talk.await
}

async fn judge(page: &Page, response: Response<Incoming>) -> Result<(), PageError> {
    let status = response.status();
    let is_expected = page.status.map_or(status.is_success(), |wanted| wanted == status.as_u16());
    if !is_expected {
        return Err(PageError::Status(status));
    }
    if page.json.is_empty() {
        return Ok(());
    }
    let said: Value = serde_json::from_slice(&read(response.into_body()).await?).map_err(|_| PageError::NotJson)?;
    match page.json.iter().find(|(pointer, wanted)| said.pointer(pointer) != Some(wanted)) {
        Some((pointer, _)) => Err(PageError::Differs(pointer.clone())),
        None => Ok(()),
    }
}

async fn read(mut body: Incoming) -> Result<Vec<u8>, PageError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(PageError::Broken)?;
        bytes.extend_from_slice(frame.data_ref().map(Bytes::as_ref).unwrap_or_default());
        if bytes.len() > BODY_BYTES_MAX {
            return Err(PageError::Large);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
