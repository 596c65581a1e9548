//! The task that keeps one watcher in step with control: reads, asks [`Exchange`], does as told.
//!
//! The last good file is offered before the network is tried. A stream that is silent too long is given up and a new
//! channel is made, because a silent stream on a dead connection looks like a quiet one.
//! Invariant: at most one candidate is out; the next is offered after its answer.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use outrigger_model::requirement::Dependency;
use outrigger_wire::proto::discovery::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use outrigger_wire::proto::discovery::{DeltaDiscoveryRequest, DeltaDiscoveryResponse};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tracing::{info, warn};

use crate::backoff::Backoff;
use crate::candidate::{Answer, Candidate, Source};
use crate::config::Timing;
use crate::exchange::{Exchange, Offer, Step};
use crate::last_good;
use crate::staging::Proposal;
use crate::status::Status;
use crate::writer::Writer;

/// Requests on their way out; the first round of a stream has seven.
const REQUESTS_IN_FLIGHT_MAX: usize = 16;
/// Where control says when a stream that it did not take should come again.
const PUSHBACK: &str = "grpc-retry-pushback-ms";
/// Control never asks for more; whoever asks for more is not obeyed.
const PUSHBACK_MAX: Duration = Duration::from_secs(60);
/// Largest response taken. Control splits at 1 MiB; one resource may be larger.
const RESPONSE_BYTES_MAX: usize = 16 << 20;

pub(crate) struct Runner<C> {
    pub connect: C,
    pub exchange: Exchange,
    /// What the owner depends on.
    pub needed: watch::Receiver<Vec<Dependency>>,
    pub offers: mpsc::Sender<Candidate>,
    pub told: watch::Sender<Status>,
    pub timing: Timing,
    pub backoff: Backoff,
    pub writer: Option<Writer>,
}

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("control cannot be reached or refused the stream: {}", said(.0))]
    Refused(tonic::Status),
    #[error("the stream to control broke: {}", said(.0))]
    Broke(tonic::Status),
    #[error("control ended the stream")]
    Closed,
    #[error("nothing was heard from control for {} ms", .0.silence_max.as_millis())]
    Silent(Timing),
    #[error("nobody takes snapshots any more")]
    Unowned,
    #[error("what is needed has changed")]
    Needs,
}

impl Ended {
    /// How long control wants us to stay away.
    fn asks_for(&self) -> Option<Duration> {
        let Self::Refused(status) = self else { return None };
        let millis = status.metadata().get(PUSHBACK)?.to_str().ok()?.parse().ok()?;
        Some(Duration::from_millis(millis).min(PUSHBACK_MAX))
    }
}

impl<C: Fn() -> Channel> Runner<C> {
    pub async fn run(mut self, last_good: Option<PathBuf>, stopped: oneshot::Receiver<()>) {
        tokio::select! {
            // Also when the handle is dropped.
            _ = stopped => {}
            () = self.work(last_good.as_deref()) => {}
        }
        if let Some(writer) = self.writer {
            writer.finish().await;
        }
    }

    async fn work(&mut self, last_good: Option<&Path>) {
        match last_good {
            Some(path) => self.start_from(path).await,
            None => info!("no last good file is configured, snapshots are kept in memory only"),
        }
        loop {
            let Err(ended) = self.stream().await;
            match ended {
                Ended::Unowned => return,
                // Nothing is lost: the next stream goes on from what is committed.
                Ended::Needs => continue,
                _ => {}
            }
            // What control asks for comes first; the wait of our own on top of it keeps those apart that were told the same.
            let wait = ended.asks_for().unwrap_or_default() + self.backoff.next_wait();
            match ended {
                Ended::Closed => info!(?wait, "control ended the stream"),
                _ => warn!(reason = %ended, ?wait, "not connected to control"),
            }
            self.told.send_modify(|status| {
                let now = Instant::now();
                if status.connected {
                    status.since = now;
                }
                status.connected = false;
                status.stale_since.get_or_insert(now);
                status.last_error = Some(ended.to_string());
            });
            tokio::time::sleep(wait).await;
        }
    }

    /// Offers the last good file, or else the one before it.
    async fn start_from(&mut self, path: &Path) {
        for path in [path.to_owned(), last_good::previous(path)] {
            match self.start_from_one(&path).await {
                Ok(true) => {
                    info!(file = %path.display(), "serving from the last good file");
                    return self.tell_applied(Source::File);
                }
                Ok(false) => {}
                Err(reason) => {
                    warn!(file = %path.display(), reason, "last good file not used");
                    self.exchange.staging_mut().restore();
                }
            }
        }
        info!("starting without a last good snapshot");
    }

    /// False: there is no such file.
    async fn start_from_one(&mut self, path: &Path) -> Result<bool, String> {
        let path = path.to_owned();
        let read = tokio::task::spawn_blocking(move || last_good::read(&path)).await;
        let read = read.map_err(|_| "reading it failed".to_owned())?;
        let Some(image) = read.map_err(|error| error.to_string())? else { return Ok(false) };
        let proposed = self.exchange.staging_mut().stage_message(image.message);
        let proposal = proposed.map_err(|bad| bad.to_string())?;
        self.offer(&proposal, Source::File).await.map_err(|ended| ended.to_string())??;
        self.exchange.staging_mut().commit(proposal.next);
        Ok(true)
    }

    /// Opens one stream and answers what comes, until it ends.
    async fn stream(&mut self) -> Result<Infallible, Ended> {
        let timing = self.timing;
        let silent = |_| Ended::Silent(timing);
        let patience = timing.silence_max;
        let mut client = AggregatedDiscoveryServiceClient::new((self.connect)());
        client = client.max_decoding_message_size(RESPONSE_BYTES_MAX);
        let (requests, outbox) = mpsc::channel(REQUESTS_IN_FLIGHT_MAX);
        if self.needed.has_changed().unwrap_or_default() {
            let needs = self.needed.borrow_and_update().clone();
            self.exchange.need(needs);
        }
        for request in self.exchange.open() {
            requests.send(request).await.map_err(|_| Ended::Closed)?;
        }
        let opened = timeout(patience, client.delta_aggregated_resources(ReceiverStream::new(outbox)));
        let mut responses = opened.await.map_err(silent)?.map_err(Ended::Refused)?.into_inner();
        info!("connected to control");
        self.told.send_modify(|status| {
            status.connected = true;
            status.since = Instant::now();
            status.last_error = None;
        });
        loop {
            let heard = tokio::select! {
                heard = timeout(patience, responses.message()) => heard.map_err(silent)?,
                Ok(()) = until_changed(&self.needed) => return Err(Ended::Needs),
            };
            let response = heard.map_err(Ended::Broke)?.ok_or(Ended::Closed)?;
            self.backoff.reset();
            let request = self.answer(response).await?;
            // A server that does not read is as good as gone.
            timeout(patience, requests.send(request)).await.map_err(silent)?.map_err(|_| Ended::Closed)?;
        }
    }

    /// What to send back for one response.
    async fn answer(&mut self, response: DeltaDiscoveryResponse) -> Result<DeltaDiscoveryRequest, Ended> {
        Ok(match self.exchange.receive(response) {
            Step::Answer(request) => request,
            Step::Current(request) => {
                self.tell_applied(Source::Live);
                request
            }
            Step::Refuse(request, reason) => {
                self.tell_refused(reason);
                request
            }
            Step::Offer(offer) => self.ask_owner(offer).await?,
        })
    }

    async fn ask_owner(&mut self, offer: Offer) -> Result<DeltaDiscoveryRequest, Ended> {
        match self.offer(&offer.proposal, Source::Live).await? {
            Ok(()) => {
                let request = self.exchange.accept(offer);
                self.tell_applied(Source::Live);
                if let Some(writer) = &self.writer {
                    writer.put(self.exchange.staging().committed().clone());
                }
                Ok(request)
            }
            Err(reason) => {
                let request = self.exchange.refuse(offer, &reason);
                self.tell_refused(reason);
                Ok(request)
            }
        }
    }

    async fn offer(&self, proposal: &Proposal, source: Source) -> Result<Result<(), String>, Ended> {
        let (answer, heard) = Answer::new();
        let candidate = Candidate {
            snapshot: proposal.next.snapshot.clone(),
            manifest: proposal.manifest.clone(),
            source,
            changes: proposal.changes.clone(),
            answer,
        };
        self.offers.send(candidate).await.map_err(|_| Ended::Unowned)?;
        Ok(heard.await.unwrap_or_else(|_| Err("the snapshot was dropped without an answer".to_owned())))
    }

    fn tell_applied(&self, source: Source) {
        let manifest = self.exchange.staging().committed().manifest.as_ref();
        self.told.send_modify(|status| {
            status.epoch = manifest.map(|held| held.manifest.epoch);
            status.serial = manifest.map(|held| held.manifest.serial);
            status.source = Some(source);
            status.refusal = None;
            if source == Source::Live {
                status.stale_since = None;
            }
        });
    }

    fn tell_refused(&self, reason: String) {
        warn!(reason, "snapshot refused, the last good one stays in use");
        self.told.send_modify(|status| {
            status.stale_since.get_or_insert_with(Instant::now);
            status.refusal = Some(reason);
        });
    }
}

/// Ends with the next change, and leaves it to be seen.
async fn until_changed(needed: &watch::Receiver<Vec<Dependency>>) -> Result<(), watch::error::RecvError> {
    if needed.has_changed()? {
        return Ok(());
    }
    needed.clone().changed().await
}

/// What a gRPC status says, with its cause: the transport hides "connection refused" one level down.
fn said(status: &tonic::Status) -> String {
    let mut text = format!("{}: {}", status.code(), status.message());
    let mut cause = std::error::Error::source(status);
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}
