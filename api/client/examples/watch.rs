//! Watches a mesh as a program of your own would: every change, and a marker when a snapshot is complete.
//!
//! `cargo run -p outrigger-client --example watch -- 127.0.0.1:17010 [operator.pem]`; the certificate's `.key` and `ca.pem` lie
//! beside it. Control may go and come back: the observer goes on where it was.
#![allow(clippy::print_stdout, reason = "this is what it is for")]

use std::path::Path;

use outrigger_client::{Observed, Observer, WatchConfig};
use outrigger_identity::{Material, channel};
use outrigger_model::name::NodeId;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let address = words.next().unwrap_or_else(|| "127.0.0.1:17010".to_owned());
    let load = |pem: &Path| Material::load(pem, &pem.with_extension("key"), &pem.with_file_name("ca.pem"));
    let material = words.next().map(|pem| load(Path::new(&pem))).transpose()?;
    // A channel connects when it is used. If it can be made once, it can be made again.
    let first = channel(&address, material.as_ref())?;
    let connect = move || channel(&address, material.as_ref()).unwrap_or_else(|_| first.clone());
    let mut observer = Observer::start(connect, WatchConfig::new(NodeId::new("watch-example")?, "watch-example/1"));
    while let Some(observed) = observer.next().await {
        match observed {
            Observed::Changed { change, .. } => println!("{} {}/{}", change.op.as_str(), change.kind, change.name),
            Observed::Synced { serial, reason, .. } => println!("synced {serial}: {reason}"),
            Observed::Reset { epoch } => println!("control counts anew: {epoch}"),
        }
    }
    Ok(())
}
