//! Asks the own agent over and over whether it still answers: `server/discover`, or `ping` in a session of ours.
//!
//! In: the agent's URL, and what era it last said it speaks. Out: nothing, or what was wrong with its answer.
//! Rule: any JSON-RPC answer to our question is one of an agent that is well, an error too: the question was read and answered.
//! Source: 2025-06-18 `basic/utilities/ping`: "The receiver MUST respond promptly with an empty response"; 2026-07-28 has no ping.
//! Invariant: at most one session of ours is open, and the last one is ended with [`Pinger::end`].

use std::time::Duration;

use http::StatusCode;
use outrigger_model::revision::{Era, Revision};
use serde_json::json;
use tokio::time::timeout;

use super::exchange::{Answer, ExchangeError};
use super::talk::{IntrospectError, Speaker};
use crate::config::settings::AgentUrl;

/// Why an agent does not count as well.
#[derive(Debug, thiserror::Error)]
pub enum PingError {
    #[error("agent cannot be asked")]
    Exchange(#[from] ExchangeError),
    #[error("agent answers our question with HTTP {0}")]
    Status(StatusCode),
    #[error("agent answers our question with something that is no JSON-RPC")]
    NotMcp,
    #[error("agent opens no session for a ping")]
    Opening(#[source] IntrospectError),
}

/// Asks one agent.
#[derive(Debug)]
pub struct Pinger {
    url: AgentUrl,
    /// How long one that may be of either era may think about a method of the newer one; some legacy ones never answer.
    discover: Duration,
    session: Option<Session>,
    last_id: u64,
}

/// What `initialize` agreed on.
#[derive(Debug)]
struct Session {
    revision: Revision,
    /// None where the agent has no sessions.
    id: Option<String>,
}

impl Pinger {
    /// `patience` is what a whole question may take; who asks ends it then.
    pub fn new(url: AgentUrl, patience: Duration) -> Self {
        Self { url, discover: patience / 2, session: None, last_id: 1 }
    }

    /// Asks once. Without an era both are tried.
    pub async fn ask(&mut self, era: Option<Era>) -> Result<(), PingError> {
        match era {
            Some(Era::Modern) => self.discover().await,
            Some(Era::Legacy) => self.ping().await,
            None => match timeout(self.discover, self.discover()).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => self.ping().await,
            },
        }
    }

    /// Ends the session, if one is open.
    pub async fn end(&mut self) {
        if let Some(Session { revision, id }) = self.session.take() {
            Speaker { url: &self.url, revision, session: id }.end().await;
        }
    }

    async fn discover(&self) -> Result<(), PingError> {
        let speaker = Speaker { url: &self.url, revision: Revision::V2026_07_28, session: None };
        answered(&speaker.ask(1, "server/discover", json!({})).await?)
    }

    async fn ping(&mut self) -> Result<(), PingError> {
        let Some(Session { revision, id }) = &self.session else { return self.open().await };
        self.last_id += 1;
        let speaker = Speaker { url: &self.url, revision: *revision, session: id.clone() };
        let answer = speaker.ask(self.last_id, "ping", json!({})).await?;
        let is_unknown = matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST);
        if is_unknown && id.is_some() {
            // It came back without its memory, or ended what was idle.
            self.session = None;
            return self.open().await;
        }
        answered(&answer)
    }

    /// One that answers `initialize` is as well as one that answers `ping`.
    async fn open(&mut self) -> Result<(), PingError> {
        match Speaker::open(&self.url).await {
            Ok((speaker, _)) => {
                // Known before anything else is waited for, so that it is ended whatever comes of that.
                self.session = Some(Session { revision: speaker.revision, id: speaker.session.clone() });
                speaker.notify("notifications/initialized").await?;
                Ok(())
            }
            Err(IntrospectError::Refused(_)) => Ok(()),
            Err(error) => Err(PingError::Opening(error)),
        }
    }
}

fn answered(answer: &Answer) -> Result<(), PingError> {
    match answer.status {
        status if status.is_server_error() => Err(PingError::Status(status)),
        _ if answer.message.is_some() => Ok(()),
        status if status.is_success() => Err(PingError::NotMcp),
        status => Err(PingError::Status(status)),
    }
}

#[cfg(test)]
mod tests;
