//! Goes on from a place: every change since a snapshot, without holding that snapshot.
//!
//! In: a way to reach control, where to start. Out: [`Observed`]s, and in words why there are none.
//! Unlike [`crate::observer`] it verifies no digest and keeps nothing but its place, so it can start in the middle.
//! Invariant: changes are given whole snapshot by whole snapshot, each once; where control no longer knows the way, it says so
//! with [`Observed::Reset`] and starts over.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use outrigger_model::position::Position;
use outrigger_model::requirement::Dependency;
use outrigger_model::resource::{Epoch, ResourceKind, Serial};
use outrigger_wire::proto::snapshot::change::Op as WireOp;
use outrigger_wire::proto::snapshot::snapshots_client::SnapshotsClient;
use outrigger_wire::proto::snapshot::{self as wire, Changes, Since};
use outrigger_wire::resource::Resource;
use tokio::sync::watch;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use crate::backoff::Backoff;
use crate::change::{Change, Op};
use crate::config::Timing;
use crate::observer::Observed;

/// Control sends pieces of a few hundred kilobytes; one resource may be larger.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// What is followed, and from where.
#[derive(Debug, Clone, Default)]
pub struct FollowConfig {
    /// None: everything there is comes first.
    pub since: Option<Position>,
    /// Empty: all kinds.
    pub kinds: Vec<ResourceKind>,
    pub needs: Vec<Dependency>,
    /// New contents along with the changes.
    pub bodies: bool,
}

/// A stream of changes that opens itself again.
#[derive(Debug)]
pub struct Follower<C> {
    connect: C,
    config: FollowConfig,
    stream: Option<Streaming<Changes>>,
    /// Of a snapshot that is not told to its end.
    partial: VecDeque<Observed>,
    whole: VecDeque<Observed>,
    backoff: Backoff,
    trouble: watch::Sender<Option<String>>,
}

impl<C: Fn() -> Channel> Follower<C> {
    /// Nothing happens before [`Follower::next`].
    pub fn new(connect: C, config: FollowConfig) -> Self {
        let timing = Timing::default();
        Self {
            connect,
            config,
            stream: None,
            partial: VecDeque::new(),
            whole: VecDeque::new(),
            backoff: Backoff::new(timing.retry_first, timing.retry_longest, fastrand::Rng::new()),
            trouble: watch::Sender::new(None),
        }
    }

    /// The next thing seen. Waits for as long as it takes; may be dropped and called again.
    pub async fn next(&mut self) -> Observed {
        loop {
            if let Some(observed) = self.whole.pop_front() {
                return observed;
            }
            if let Err(status) = self.hear().await {
                self.stream = None;
                self.partial.clear();
                self.trouble.send_replace(Some(format!("{}: {}", status.code(), status.message())));
                let wait = self.backoff.next_wait();
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// Why nothing comes at the moment; none while a stream is open.
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.trouble.subscribe()
    }

    /// From where another follower could go on.
    pub fn place(&self) -> Option<Position> {
        self.config.since
    }

    async fn hear(&mut self) -> Result<(), Status> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let mut client = SnapshotsClient::new((self.connect)());
                client = client.max_decoding_message_size(MESSAGE_BYTES_MAX);
                let stream = client.watch(self.since()).await?.into_inner();
                self.trouble.send_replace(None);
                self.stream.insert(stream)
            }
        };
        let changes = stream.message().await?.ok_or_else(|| Status::unavailable("control ended the stream"))?;
        self.backoff.reset();
        self.take(changes)
    }

    fn since(&self) -> Since {
        let FollowConfig { since, kinds, needs, bodies } = &self.config;
        Since {
            epoch: since.map(|since| since.epoch.0).unwrap_or_default(),
            serial: since.map(|since| since.serial.0).unwrap_or_default(),
            types: kinds.iter().map(|kind| kind.as_str().to_owned()).collect(),
            needs: needs.iter().map(ToString::to_string).collect(),
            bodies: *bodies,
        }
    }

    fn take(&mut self, changes: Changes) -> Result<(), Status> {
        let (epoch, serial) = (Epoch(changes.epoch), Serial(changes.serial));
        if changes.reset {
            self.partial.push_back(Observed::Reset { epoch });
        }
        for change in changes.changes {
            self.partial.push_back(observed(change)?);
        }
        if changes.synced {
            let made_at = changes.made_at.and_then(|at| at.try_into().ok()).unwrap_or(SystemTime::UNIX_EPOCH);
            let reason = changes.reason;
            self.partial.push_back(Observed::Synced { epoch, serial, reason, made_at });
            self.whole.append(&mut self.partial);
            self.config.since = Some(Position { epoch, serial });
        }
        Ok(())
    }
}

fn observed(change: wire::Change) -> Result<Observed, Status> {
    let unreadable = |what: &str| Status::data_loss(format!("a change of control cannot be read: {what}"));
    let op = match change.op() {
        WireOp::Added => Op::Added,
        WireOp::Changed => Op::Changed,
        WireOp::Removed => Op::Removed,
        WireOp::Unspecified => return Err(unreadable("op")),
    };
    let kind = ResourceKind::parse(&change.r#type).ok_or_else(|| unreadable("type"))?;
    let token = change.token.parse().map_err(|_| unreadable("token"))?;
    let resource = change.body.map(|body| Resource::decode(kind, &change.name, &body.value));
    let resource = resource.transpose().map_err(|bad| unreadable(&bad.to_string()))?.map(Box::new);
    Ok(Observed::Changed { change: Change { kind, name: Arc::from(change.name), op, token }, resource })
}

#[cfg(test)]
mod tests;
