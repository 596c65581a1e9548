//! `outrigger watch`: every change of every snapshot, over the same stream that proxies use, or from a place on.
//!
//! Invariant: a line `SYNCED` follows the changes of a whole snapshot; what was not listed before it does not exist. Control
//! may go and come back: what is listed goes on where it was, or a line `RESET` says that it did not.

mod lines;
mod source;

use outrigger_identity::channel;
use outrigger_model::name::NodeId;

use outrigger_client::{FollowConfig, Follower, Observed, Observer, WatchConfig};

use crate::args::Watch;
use crate::identity;
use crate::output::{note, say};
use crate::problem::Problem;
use crate::signals::Signals;

use source::Source;

const BUILD: &str = concat!("outrigger-watch/", env!("CARGO_PKG_VERSION"));

pub async fn run(watch: Watch) -> Result<(), Problem> {
    let material = watch.identity.as_deref().map(identity::load).transpose()?;
    let address = watch.grpc.authority();
    let made = channel(&address, material.as_ref());
    let first = made.map_err(|cause| Problem::failed("control cannot be watched").because(cause))?;
    // The channel is lazy; one that could be made once can be made again.
    let connect = move || channel(&address, material.as_ref()).unwrap_or_else(|_| first.clone());
    let mut source = match watch.since {
        Some(since) => {
            let (kinds, needs) = (watch.kinds.clone(), watch.needs.clone());
            Source::from(Follower::new(connect, FollowConfig { since: Some(since), kinds, needs, bodies: true }))
        }
        None => {
            let node = NodeId::new(&format!("watch-{}", std::process::id()));
            let node = node.map_err(|cause| Problem::failed("no name").because(cause))?;
            let mut config = WatchConfig::new(node, BUILD);
            config.needs = watch.needs.clone();
            Source::from(Observer::start(connect, config))
        }
    };
    let mut signals = Signals::listen()?;
    let told = tokio::select! {
        told = tell(&mut source, &watch) => told,
        () = signals.next() => Ok(()),
    };
    source.stop().await;
    told
}

/// Prints what is seen, and on stderr why nothing is seen.
async fn tell<C: Fn() -> tonic::transport::Channel>(source: &mut Source<C>, watch: &Watch) -> Result<(), Problem> {
    let mut snapshots = 0;
    let mut said = None;
    loop {
        let observed = match source.next().await {
            source::Next::Observed(observed) => observed,
            source::Next::Trouble(trouble) => {
                if trouble.is_some() && trouble != said {
                    if said.is_none() && watch.identity.is_none() {
                        note(
                            "next:  if control has an identity, prove yours: --identity FILE.pem, see `outrigger ca issue`",
                        );
                    }
                    note(format!("{}: {}; trying again", watch.grpc, trouble.as_deref().unwrap_or_default()));
                }
                said = trouble;
                continue;
            }
            source::Next::Ended => return Err(Problem::failed("the watch ended")),
        };
        match &observed {
            Observed::Changed { change, .. } if !watch.kinds.is_empty() && !watch.kinds.contains(&change.kind) => {}
            observed => say(lines::line(watch.output, observed))?,
        }
        snapshots += u64::from(matches!(observed, Observed::Synced { .. }));
        if watch.snapshots.is_some_and(|most| snapshots >= most) {
            return Ok(());
        }
    }
}
