//! One report stream, as a proxy has one: what it says to control, and what control answers.
//!
//! In: facts. Out: hints.
//! Invariant: each speaker has a connection of its own, as each proxy has.

use std::net::SocketAddr;
use std::time::Duration;

use outrigger_identity::channel::{ChannelError, channel};
use outrigger_wire::proto::registry::facts::Fact;
use outrigger_wire::proto::registry::hint::Hint as Kind;
use outrigger_wire::proto::registry::registry_client::RegistryClient;
use outrigger_wire::proto::registry::{Draining, Facts, Hello, Hint, Leave, Light, Report};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

/// Messages that wait on their way out, as in the proxy.
const IN_FLIGHT_MAX: usize = 8;
/// How long control may take to answer, unless said otherwise.
const ANSWER_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum SpeakerError {
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error("control refused a report stream or broke it: {}", .0.message())]
    Broke(Box<tonic::Status>),
    #[error("control ended a report stream")]
    Ended,
    #[error("control does not answer a report")]
    Silent,
    #[error("control does not take replica `{replica}`: {detail}")]
    Refused { replica: String, detail: String },
}

#[derive(Debug)]
pub struct Speaker {
    facts: mpsc::Sender<Facts>,
    hints: Streaming<Hint>,
    answer_max: Duration,
}

impl Speaker {
    /// Connects and says hello; control has welcomed it.
    pub async fn open(control: SocketAddr, node: &str) -> Result<Self, SpeakerError> {
        Self::open_within(control, node, ANSWER_MAX).await
    }

    /// The same; control has `answer_max` for each answer.
    pub async fn open_within(control: SocketAddr, node: &str, answer_max: Duration) -> Result<Self, SpeakerError> {
        let (facts, waiting) = mpsc::channel(IN_FLIGHT_MAX);
        let mut client = RegistryClient::new(channel(&control.to_string(), None)?);
        let hello = Hello { node: node.to_owned(), build: "outrigger-load".to_owned() };
        facts.send(Facts { fact: Some(Fact::Hello(hello)) }).await.map_err(|_| SpeakerError::Ended)?;
        let opened = timeout(answer_max, client.report(ReceiverStream::new(waiting)));
        let hints = opened.await.map_err(|_| SpeakerError::Silent)?;
        let hints = hints.map_err(|status| SpeakerError::Broke(Box::new(status)))?.into_inner();
        let mut speaker = Self { facts, hints, answer_max };
        match speaker.hint().await? {
            Some(Kind::Welcome(_)) => Ok(speaker),
            _ => Err(SpeakerError::Ended),
        }
    }

    /// Reports, and waits until the report is taken; the serial of the snapshot that first has it.
    pub async fn report(&mut self, report: Report) -> Result<u64, SpeakerError> {
        self.say(Fact::Report(report)).await?;
        loop {
            match self.hint().await? {
                Some(Kind::Taken(taken)) => return Ok(taken.serial),
                Some(Kind::Refused(refused)) => {
                    return Err(SpeakerError::Refused { replica: refused.replica, detail: refused.detail });
                }
                // A light signal that came while nothing was known of this node.
                Some(Kind::Welcome(_) | Kind::ReportAgain(_)) | None => {}
            }
        }
    }

    /// Nothing answers it.
    pub async fn light(&self) -> Result<(), SpeakerError> {
        self.say(Fact::Light(Light::default())).await
    }

    pub async fn draining(&self) -> Result<(), SpeakerError> {
        self.say(Fact::Draining(Draining {})).await
    }

    /// Says farewell; its replicas are withdrawn when control ends the stream.
    pub async fn leave(mut self) -> Result<(), SpeakerError> {
        self.say(Fact::Leave(Leave {})).await?;
        while let Ok(Some(_)) =
            timeout(self.answer_max, self.hints.message()).await.map_err(|_| SpeakerError::Silent)?
        {}
        Ok(())
    }

    async fn say(&self, fact: Fact) -> Result<(), SpeakerError> {
        let sent = timeout(self.answer_max, self.facts.send(Facts { fact: Some(fact) }));
        sent.await.map_err(|_| SpeakerError::Silent)?.map_err(|_| SpeakerError::Ended)
    }

    async fn hint(&mut self) -> Result<Option<Kind>, SpeakerError> {
        let message = timeout(self.answer_max, self.hints.message()).await.map_err(|_| SpeakerError::Silent)?;
        let hint = message.map_err(|status| SpeakerError::Broke(Box::new(status)))?.ok_or(SpeakerError::Ended)?;
        Ok(hint.hint)
    }
}
