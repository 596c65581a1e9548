//! One stream of reports, from its opening to its end.
//!
//! In: what to tell and when. Out: hints, handed on as they come; why it ended.
//! Invariant: the first two messages are `Hello` and a full report; after that only changes and light signals travel.

use std::time::Duration;

use outrigger_model::tally::Tally;
use outrigger_wire::proto::registry::registry_client::RegistryClient;
use outrigger_wire::proto::registry::{Draining, Facts, Hello, Hint, Leave, Light, Report, facts::Fact};
use outrigger_wire::report::calls;
use tokio::sync::mpsc;
use tokio::time::{error::Elapsed, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

/// Messages that may wait; control that does not read slows us down.
const IN_FLIGHT_MAX: usize = 8;
/// How long control may take to accept a stream, or a message.
const ACCEPT_DEADLINE: Duration = Duration::from_secs(10);
/// A full report may hold thousands of capabilities; a hint is small.
const HINT_BYTES_MAX: usize = 1 << 20;

/// Why a stream could not be opened or did not last.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error("control refused the stream: {}", .0.message())]
    Refused(#[source] Box<tonic::Status>),
    #[error("control does not answer")]
    Silent(#[from] Elapsed),
    #[error("control ended the stream")]
    Ended,
}

/// An open stream.
pub(super) struct Reports {
    facts: mpsc::Sender<Facts>,
    hints: Streaming<Hint>,
}

impl Reports {
    /// Opens the stream with `hello` and the first report, if there is something to report yet.
    pub(super) async fn open(channel: Channel, hello: Hello, report: Option<Report>) -> Result<Self, StreamError> {
        let (facts, waiting) = mpsc::channel(IN_FLIGHT_MAX);
        let mut client = RegistryClient::new(channel).max_decoding_message_size(HINT_BYTES_MAX);
        for fact in [Some(Fact::Hello(hello)), report.map(Fact::Report)].into_iter().flatten() {
            let sent = facts.try_send(Facts { fact: Some(fact) });
            debug_assert!(sent.is_ok(), "the queue has room for an opening");
        }
        let answer = timeout(ACCEPT_DEADLINE, client.report(ReceiverStream::new(waiting))).await?;
        let hints = answer.map_err(|status| StreamError::Refused(Box::new(status)))?.into_inner();
        Ok(Self { facts, hints })
    }

    pub(super) async fn hint(&mut self) -> Result<Hint, StreamError> {
        match self.hints.message().await {
            Ok(Some(hint)) => Ok(hint),
            Ok(None) => Err(StreamError::Ended),
            Err(status) => Err(StreamError::Refused(Box::new(status))),
        }
    }

    pub(super) async fn report(&self, report: Report) -> Result<(), StreamError> {
        self.send(Fact::Report(report)).await
    }

    pub(super) async fn light(&self, tally: &Tally) -> Result<(), StreamError> {
        self.send(Fact::Light(Light { calls: Some(calls(tally)) })).await
    }

    pub(super) async fn draining(&self) -> Result<(), StreamError> {
        self.send(Fact::Draining(Draining {})).await
    }

    /// Says goodbye and waits until control has heard it, up to `patience`.
    pub(super) async fn leave(mut self, patience: Duration) {
        if self.send(Fact::Leave(Leave {})).await.is_err() {
            return;
        }
        drop(self.facts);
        let heard = async { while matches!(self.hints.message().await, Ok(Some(_))) {} };
        let _ = timeout(patience, heard).await;
    }

    async fn send(&self, fact: Fact) -> Result<(), StreamError> {
        let sent = timeout(ACCEPT_DEADLINE, self.facts.send(Facts { fact: Some(fact) })).await?;
        sent.map_err(|_| StreamError::Ended)
    }
}
