//! `outrigger watch`: every change of every snapshot, over the same stream that proxies use.
//!
//! Invariant: a line `SYNCED` follows the changes of a whole snapshot; what was not listed before it does not exist.

use outrigger_client::{Change, Observed, Observer, WatchConfig};
use outrigger_identity::channel;
use outrigger_model::name::NodeId;
use outrigger_wire::resource::Resource;
use serde_json::json;

use crate::args::{Lines, Watch};
use crate::identity;
use crate::output::{note, say};
use crate::problem::Problem;
use crate::shown;
use crate::signals::Signals;

const BUILD: &str = concat!("outrigger-watch/", env!("CARGO_PKG_VERSION"));

pub async fn run(watch: Watch) -> Result<(), Problem> {
    let material = watch.identity.as_deref().map(identity::load).transpose()?;
    let address = watch.grpc.authority();
    let made = channel(&address, material.as_ref());
    let first = made.map_err(|cause| Problem::failed("control cannot be watched").because(cause))?;
    let node = NodeId::new(&format!("watch-{}", std::process::id()));
    let mut config = WatchConfig::new(node.map_err(|cause| Problem::failed("no name").because(cause))?, BUILD);
    config.needs = watch.needs.clone();
    // The channel is lazy; one that could be made once can be made again.
    let connect = move || channel(&address, material.as_ref()).unwrap_or_else(|_| first.clone());
    let mut observer = Observer::start(connect, config);
    let mut signals = Signals::listen()?;
    let told = tokio::select! {
        told = tell(&mut observer, &watch) => told,
        () = signals.next() => Ok(()),
    };
    observer.stop().await;
    told
}

/// Prints what is seen, and on stderr why nothing is seen.
async fn tell(observer: &mut Observer, watch: &Watch) -> Result<(), Problem> {
    let mut status = observer.status();
    let mut snapshots = 0;
    let mut said = None;
    loop {
        tokio::select! {
            observed = observer.next() => match observed {
                Some(Observed::Changed { change, resource }) => {
                    if watch.kinds.is_empty() || watch.kinds.contains(&change.kind) {
                        say(changed(watch.output, &change, resource.as_deref()))?;
                    }
                }
                Some(Observed::Synced { epoch, serial, reason, .. }) => {
                    let (epoch, serial) = (epoch.to_string(), serial.0);
                    say(match watch.output {
                        Lines::Text => format!("SYNCED   {serial}  {reason}"),
                        Lines::Json => json!({"op": "synced", "serial": serial, "epoch": epoch, "reason": reason}).to_string(),
                    })?;
                    snapshots += 1;
                    if watch.snapshots.is_some_and(|most| snapshots >= most) {
                        return Ok(());
                    }
                }
                None => return Err(Problem::failed("the watch ended")),
            },
            Ok(()) = status.changed() => {
                let error = status.borrow_and_update().last_error.clone();
                if error.is_some() && error != said {
                    if said.is_none() && watch.identity.is_none() {
                        note("next:  if control has an identity, prove yours: --identity FILE.pem, see `outrigger ca issue`");
                    }
                    note(format!("{}: {}; trying again", watch.grpc, error.as_deref().unwrap_or_default()));
                }
                said = error;
            }
        }
    }
}

fn changed(lines: Lines, change: &Change, resource: Option<&Resource>) -> String {
    let (op, kind, name) = (change.op.as_str(), change.kind.as_str(), &change.name);
    match lines {
        Lines::Text => {
            let rest = resource.map(shown::line).unwrap_or_default();
            format!("{:<8} {kind:<10}  {name}  {rest}", op.to_ascii_uppercase()).trim_end().to_owned()
        }
        Lines::Json => json!({
            "op": op, "kind": kind, "name": &**name, "token": change.token.to_string(),
            "resource": resource.map(shown::document),
        })
        .to_string(),
    }
}
