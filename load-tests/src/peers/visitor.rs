//! A proxy that comes and goes, as far as control can tell: each of its reports changes the world of every other proxy.
//!
//! In: where control takes reports. Out: one change after the other, and the serial of the snapshot that has it.
//! Why not a process: to start one takes a core for longer than what is measured.

use std::net::SocketAddr;
use std::time::Duration;

use outrigger_wire::proto::registry::facts::Fact;
use outrigger_wire::proto::registry::hint::Hint as Kind;
use outrigger_wire::proto::registry::registry_client::RegistryClient;
use outrigger_wire::proto::registry::{Facts, Hello, Hint, Leave, Replica, Report};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

const NODE: &str = "visitor";
/// How long control may take for anything.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// The agents it has in turn; each change takes one away and brings another.
const AGENTS: u64 = 50;

#[derive(Debug, thiserror::Error)]
pub enum VisitorError {
    #[error("control cannot be reached")]
    Connect(#[from] tonic::transport::Error),
    #[error("control refuses: {}", .0.message())]
    Refused(#[from] Box<tonic::Status>),
    #[error("control does not take a report: {0}")]
    NotTaken(String),
    #[error("control does not answer in time")]
    Slow,
    #[error("control ended the stream")]
    Ended,
}

/// An open stream of reports.
#[derive(Debug)]
pub struct Visitor {
    facts: mpsc::Sender<Facts>,
    hints: Streaming<Hint>,
    changes: u64,
}

impl Visitor {
    pub async fn arrive(control: SocketAddr) -> Result<Self, VisitorError> {
        let channel = Channel::from_shared(format!("http://{control}"))
            .map_err(|_| VisitorError::NotTaken(control.to_string()))?
            .connect_timeout(ANSWER_MAX)
            .connect()
            .await?;
        let (facts, waiting) = mpsc::channel(4);
        let hello = Hello { node: NODE.to_owned(), build: String::new() };
        // There is room: nothing was sent yet.
        let _ = facts.try_send(Facts { fact: Some(Fact::Hello(hello)) });
        let mut client = RegistryClient::new(channel);
        let answer = timeout(ANSWER_MAX, client.report(ReceiverStream::new(waiting)));
        let hints = answer.await.map_err(|_| VisitorError::Slow)?.map_err(Box::new)?.into_inner();
        Ok(Self { facts, hints, changes: 0 })
    }

    /// Makes one change; gives the serial of the first snapshot that has it.
    pub async fn change(&mut self) -> Result<u64, VisitorError> {
        self.changes += 1;
        let agent = format!("visitor-{}", self.changes % AGENTS);
        let replica = Replica {
            id: format!("{agent}-0"),
            agent,
            semver: "1.0.0".to_owned(),
            // Nobody calls it.
            address: "127.0.0.1:9".to_owned(),
            generation: self.changes,
            weight: 100,
            serving: true,
            ..Replica::default()
        };
        self.say(Fact::Report(Report { replicas: vec![replica] })).await?;
        loop {
            match self.hint().await?.hint {
                Some(Kind::Taken(taken)) => return Ok(taken.serial),
                Some(Kind::Refused(refused)) => {
                    return Err(VisitorError::NotTaken(format!("{}: {}", refused.field, refused.detail)));
                }
                _ => {}
            }
        }
    }

    /// Leaves the world as it was.
    pub async fn leave(mut self) {
        if self.say(Fact::Leave(Leave {})).await.is_ok() {
            // Control ends the stream when it has heard it.
            while self.hint().await.is_ok() {}
        }
    }

    async fn say(&self, fact: Fact) -> Result<(), VisitorError> {
        let sent = timeout(ANSWER_MAX, self.facts.send(Facts { fact: Some(fact) }));
        sent.await.map_err(|_| VisitorError::Slow)?.map_err(|_| VisitorError::Ended)
    }

    async fn hint(&mut self) -> Result<Hint, VisitorError> {
        let message = timeout(ANSWER_MAX, self.hints.message()).await.map_err(|_| VisitorError::Slow)?;
        message.map_err(Box::new)?.ok_or(VisitorError::Ended)
    }
}
