//! Changes of the world while a run lasts: a visitor that reports at a rate.
//!
//! In: where control and the proxy's health listener are. Out: how many snapshots were published for it.
//! Invariant: it counts only if the proxy holds the last of them in the end; a proxy that stayed behind is an error.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::generate::connection::{CallError, Connection};
use crate::peers::mesh::Watched;
use crate::peers::visitor::Visitor;
use crate::speaker::SpeakerError;

/// How long the proxy may take until it holds the last snapshot.
const ARRIVE_MAX: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The metric that says which snapshot a proxy holds.
const SERIAL: &str = "outrigger_snapshot_serial ";

#[derive(Debug, thiserror::Error)]
pub enum VisitError {
    #[error(transparent)]
    Visitor(#[from] SpeakerError),
    #[error("visitor ended badly")]
    Ended(#[from] JoinError),
    #[error("proxy does not say which snapshot it holds")]
    Health(#[from] CallError),
    #[error("proxy holds snapshot {held} and not {last}")]
    Behind { held: u64, last: u64 },
}

/// A visit that is under way.
#[derive(Debug)]
pub struct Visit {
    watched: Watched,
    stop: oneshot::Sender<()>,
    changing: JoinHandle<Result<BTreeSet<u64>, SpeakerError>>,
}

impl Visit {
    pub async fn begin(watched: Watched, per_second: u64) -> Result<Self, VisitError> {
        let mut visitor = Visitor::arrive(watched.control).await?;
        let (stop, mut stopped) = oneshot::channel();
        let changing = tokio::spawn(async move {
            let mut serials = BTreeSet::new();
            let mut ticks = interval(Duration::from_secs(1) / u32::try_from(per_second).unwrap_or(u32::MAX).max(1));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    biased;
                    _ = &mut stopped => break,
                    _ = ticks.tick() => serials.insert(visitor.change().await?),
                };
            }
            visitor.leave().await;
            Ok(serials)
        });
        Ok(Self { watched, stop, changing })
    }

    /// Ends it; gives the number of snapshots that it caused.
    pub async fn end(self) -> Result<u64, VisitError> {
        // If it ended before, its result says why.
        let _ = self.stop.send(());
        let serials = self.changing.await??;
        let last = serials.last().copied().unwrap_or_default();
        let until = Instant::now() + ARRIVE_MAX;
        loop {
            let held = held(self.watched.health).await?;
            if held >= last {
                return Ok(serials.len() as u64);
            }
            if Instant::now() >= until {
                return Err(VisitError::Behind { held, last });
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// The serial of the snapshot that the proxy holds.
async fn held(health: SocketAddr) -> Result<u64, CallError> {
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.uri_mut() = http::Uri::from_static("/metrics");
    request.headers_mut().insert(http::header::HOST, http::HeaderValue::from_static("localhost"));
    // Held until the body is read, which comes through it.
    let mut connection = Connection::open(health).await?;
    let response = connection.send(request).await?;
    let bytes = response.into_body().collect().await?.to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    let value = text.lines().find_map(|line| line.strip_prefix(SERIAL));
    Ok(value.and_then(|value| value.trim().parse().ok()).unwrap_or_default())
}
