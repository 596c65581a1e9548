//! What the two processes say to each other, one line each.
//!
//! Invariant: a line is bounded; a process of another form is recognised by its first line.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::HandoverError;

/// Raised when the talk changes; both sides must have the same.
pub const FORM: u32 = 1;
/// A binding with the body that opened its session, in hexadecimal.
pub const LINE_BYTES_MAX: u64 = 128 * 1024;
pub const READY: &str = "ready";
pub const SERVING: &str = "serving";

/// The first line of the process that takes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub form: u32,
    pub build: String,
}

/// What follows the listeners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub form: u32,
    pub node: String,
    /// The own agents that serve, so that sessions with them are still followed.
    pub replicas: Vec<ReplicaOffer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaOffer {
    pub replica: String,
    pub generation: u64,
}

/// The next line, without its end; none at the end of the talk.
pub async fn next(from: &mut (impl AsyncBufRead + Unpin), within: Duration) -> Result<Option<String>, HandoverError> {
    let mut line = String::new();
    let mut bounded = from.take(LINE_BYTES_MAX);
    let count = timeout(within, bounded.read_line(&mut line)).await.map_err(|_| HandoverError::Silent)??;
    if count == 0 {
        return Ok(None);
    }
    match line.pop() {
        Some('\n') => Ok(Some(line)),
        _ => Err(HandoverError::Unexpected("a line without an end".to_owned())),
    }
}

/// The next line, which must be `expected`.
pub async fn expect(
    from: &mut (impl AsyncBufRead + Unpin),
    expected: &str,
    within: Duration,
) -> Result<(), HandoverError> {
    match next(from, within).await? {
        Some(line) if line == expected => Ok(()),
        said => Err(HandoverError::Unexpected(said.unwrap_or_else(|| "nothing".to_owned()))),
    }
}

/// The next line, as a value.
pub async fn value<T: DeserializeOwned>(
    from: &mut (impl AsyncBufRead + Unpin),
    within: Duration,
) -> Result<T, HandoverError> {
    let line = next(from, within).await?.unwrap_or_default();
    serde_json::from_str(&line).map_err(|_| HandoverError::Unexpected(line.chars().take(80).collect()))
}

pub async fn say(to: &mut (impl AsyncWrite + Unpin), line: &str) -> Result<(), HandoverError> {
    let said = timeout(super::ANSWER_WITHIN, to.write_all(format!("{line}\n").as_bytes())).await;
    Ok(said.map_err(|_| HandoverError::Silent)??)
}

pub async fn say_value(to: &mut (impl AsyncWrite + Unpin), value: &impl Serialize) -> Result<(), HandoverError> {
    say(to, &serde_json::to_string(value).map_err(std::io::Error::other)?).await
}
