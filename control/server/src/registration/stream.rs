//! One report stream: what the proxy says becomes commands, what the registry answers becomes hints.
//!
//! Invariant: a stream that ends without a farewell is told to the registry, unless it is control that ends it: its own
//! stop says nothing about any proxy.

use outrigger_control_core::agent::Sender;
use outrigger_control_core::lease::LeaseRules;
use outrigger_control_core::registry::{Answer, Command, StreamId};
use outrigger_model::name::NodeId;
use outrigger_wire::proto::registry::facts::Fact;
use outrigger_wire::proto::registry::hint::Hint as Kind;
use outrigger_wire::proto::registry::{Facts, Hint, Report, ReportAgain, Taken};
use outrigger_wire::report::{LEADER, tally, welcome};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};
use tracing::{debug, info};

use crate::registration::claim::{claim, refused};
use crate::telemetry::metrics::{Metrics, ReasonLabel, Signal, SignalLabel};
use crate::writer::{Answered, NotApplied, NotLeading, Writer};

/// Everything one stream needs.
#[derive(Debug)]
pub struct Reporting {
    pub stream: StreamId,
    pub sender: Sender,
    pub writer: Writer,
    pub metrics: Metrics,
    pub stopping: CancellationToken,
}

pub type Hints = mpsc::Sender<Result<Hint, Status>>;

/// How a stream ended.
enum End {
    /// The proxy said farewell.
    Left,
    Lost,
    Stopping,
    /// Another control leads; the proxy reports to that one.
    Elsewhere(NotLeading),
    /// It broke the rules of the stream.
    Refused(Status),
}

/// Serves one stream, whose hello was read, until it ends.
pub async fn serve(reporting: Reporting, rules: LeaseRules, mut facts: Streaming<Facts>, hints: Hints) {
    reporting.metrics.registration_streams.inc();
    let (stream, node) = (reporting.stream, reporting.sender.node.clone());
    info!(%node, from = %reporting.sender.from, "proxy connected");
    let end = match say(&hints, Kind::Welcome(welcome(rules.light(), rules.lease()))).await {
        Ok(()) => reporting.listen(&mut facts, &hints).await,
        Err(end) => end,
    };
    reporting.metrics.registration_streams.dec();
    match end {
        End::Left => info!(%node, "proxy left"),
        End::Stopping => drop(hints.try_send(Err(Status::unavailable("control is stopping")))),
        End::Elsewhere(not_leading) => {
            info!(%node, "proxy sent to the control that leads");
            drop(hints.try_send(Err(elsewhere(&not_leading))));
        }
        End::Lost | End::Refused(_) => {
            info!(%node, "proxy disconnected without a farewell");
            if let End::Refused(status) = end {
                // If the proxy takes nothing, it will see the end of the stream instead.
                let _ = hints.try_send(Err(status));
            }
            // A writer that stopped needs to know of no more streams.
            let _ = reporting.writer.apply(Command::StreamLost { stream, node }).await;
        }
    }
}

impl Reporting {
    async fn listen(&self, facts: &mut Streaming<Facts>, hints: &Hints) -> End {
        let mut reigns = self.writer.reigns();
        if let Err(not_leading) = self.writer.leads() {
            return End::Elsewhere(not_leading);
        }
        loop {
            let message = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return End::Stopping,
                Ok(()) = reigns.changed() => match self.writer.leads() {
                    // A lost and regained lead is a new registry, which knows no stream.
                    Ok(()) => return End::Elsewhere(NotLeading::default()),
                    Err(not_leading) => return End::Elsewhere(not_leading),
                },
                message = facts.message() => message,
            };
            let fact = match message {
                Ok(Some(Facts { fact })) => fact,
                Ok(None) => return End::Lost,
                Err(status) => {
                    debug!(node = %self.sender.node, %status, "proxy broke off");
                    return End::Lost;
                }
            };
            let done = match fact {
                Some(Fact::Report(report)) => self.report(report, hints).await,
                Some(Fact::Light(light)) => {
                    let tally = light.calls.as_ref().map(tally);
                    self.signal(Signal::Light, hints, |stream, node| Command::Light { stream, node, tally }).await
                }
                Some(Fact::Draining(_)) => {
                    self.signal(Signal::Draining, hints, |stream, node| Command::Draining { stream, node }).await
                }
                Some(Fact::Leave(_)) => {
                    let left = self.signal(Signal::Leave, hints, |stream, node| Command::Leave { stream, node });
                    left.await.and(Err(End::Left))
                }
                Some(Fact::Hello(_)) => Err(End::Refused(Status::invalid_argument("hello is said once per stream"))),
                // A fact of a newer proxy, which an older control need not know.
                None => Ok(()),
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    async fn report(&self, report: Report, hints: &Hints) -> Result<(), End> {
        self.count(Signal::Report);
        let (stream, sender, tally) = (self.stream, self.sender.clone(), report.calls.as_ref().map(tally));
        let claims = report.replicas.into_iter().map(claim).collect();
        let answered = self.apply(Command::Report { stream, sender, claims, tally }).await?;
        if let Answer::Taken { refused: all } = answered.answer {
            for refusal in all {
                self.metrics.registration_refused.get_or_create(&ReasonLabel { reason: refusal.reason.as_str() }).inc();
                say(hints, Kind::Refused(refused(refusal))).await?;
            }
        }
        say(hints, Kind::Taken(Taken { serial: answered.serial.0 })).await
    }

    async fn signal(
        &self,
        signal: Signal,
        hints: &Hints,
        command: impl FnOnce(StreamId, NodeId) -> Command,
    ) -> Result<(), End> {
        self.count(signal);
        match self.apply(command(self.stream, self.sender.node.clone())).await?.answer {
            Answer::ReportAgain => say(hints, Kind::ReportAgain(ReportAgain {})).await,
            Answer::Noted | Answer::Taken { .. } | Answer::Revoked { .. } | Answer::NotRevoked(_) => Ok(()),
        }
    }

    async fn apply(&self, command: Command) -> Result<Answered, End> {
        self.writer.apply(command).await.map_err(|error| match error {
            NotApplied::Stopped(_) => End::Stopping,
            NotApplied::NotLeading(not_leading) => End::Elsewhere(not_leading),
        })
    }

    fn count(&self, signal: Signal) {
        self.metrics.registration_signals.get_or_create(&SignalLabel { signal }).inc();
    }
}

/// What a proxy is told that must report to another control.
pub fn elsewhere(not_leading: &NotLeading) -> Status {
    let mut status = Status::unavailable(not_leading.to_string());
    let leader = not_leading.leader.as_deref().and_then(|leader| leader.parse().ok());
    if let Some(leader) = leader {
        status.metadata_mut().insert(LEADER, leader);
    }
    status
}

async fn say(hints: &Hints, hint: Kind) -> Result<(), End> {
    hints.send(Ok(Hint { hint: Some(hint) })).await.map_err(|_| End::Lost)
}
