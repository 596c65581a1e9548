//! Asks the HTTP listeners of control and proxies.
//!
//! In: an address, a path. Out: JSON, or one figure of the metrics.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;

use crate::generate::connection::{CallError, Connection};

pub async fn get(address: SocketAddr, path: &str) -> Result<Bytes, CallError> {
    let mut connection = Connection::open(address).await?;
    get_on(&mut connection, address, path).await
}

/// On a connection that is there already.
pub async fn get_on(connection: &mut Connection, address: SocketAddr, path: &str) -> Result<Bytes, CallError> {
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.uri_mut() = path.parse().unwrap_or_default();
    if let Ok(host) = HeaderValue::from_str(&address.to_string()) {
        request.headers_mut().insert(header::HOST, host);
    }
    let response = connection.send(request).await?;
    Ok(response.into_body().collect().await?.to_bytes())
}

/// Null where the answer is no JSON.
pub async fn json(address: SocketAddr, path: &str) -> Result<Value, CallError> {
    Ok(serde_json::from_slice(&get(address, path).await?).unwrap_or_default())
}

/// A figure of `/metrics`, by its name with labels as it is written there; 0 where it is not.
pub async fn metric(address: SocketAddr, name: &str) -> Result<f64, CallError> {
    let text = get(address, "/metrics").await?;
    Ok(read_metric(&String::from_utf8_lossy(&text), name).unwrap_or_default())
}

fn read_metric(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests;
