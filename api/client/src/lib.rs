//! The watch client: keeps the snapshot of one watcher equal to what control publishes, or keeps the last good one.
//!
//! In: a way to reach control, who watches ([`config::WatchConfig`]), perhaps a file. Out: [`candidate::Candidate`]s, each a whole
//! checked snapshot that the owner accepts (ACK) or refuses (NACK), and a [`status::Status`].
//! Never here: pingora, SQL, TLS settings, what a snapshot is used for.
//! Invariants: a snapshot is offered whole or not at all; what is reported on reconnect is what was accepted, never
//! what was staged or refused; an older snapshot of the same epoch never replaces a newer one; another epoch is
//! accepted only from live control.
//!
//! The pure part ([`staging`], [`exchange`], [`backoff`], [`last_good`]'s format) knows no sockets and no clock;
//! [`watch`] reads, asks it, and does as told. [`observer`] turns applied snapshots into a list of changes, [`follower`] lists
//! changes from a place on.
//!
//! Whoever serves by snapshots uses [`Watch`] and answers each [`Candidate`]; whoever wants to know what changes uses [`Observer`]:
//!
//! ```no_run
//! use outrigger_client::{Observed, Observer, WatchConfig};
//! use outrigger_model::name::NodeId;
//!
//! # async fn follow() -> Result<(), Box<dyn std::error::Error>> {
//! let first = outrigger_identity::channel("127.0.0.1:17010", None)?;
//! let connect = move || outrigger_identity::channel("127.0.0.1:17010", None).unwrap_or_else(|_| first.clone());
//! let mut observer = Observer::start(connect, WatchConfig::new(NodeId::new("my-watcher")?, "my-watcher/1.0"));
//! while let Some(observed) = observer.next().await {
//!     match observed {
//!         Observed::Changed { change, .. } => println!("{} {}/{}", change.op.as_str(), change.kind, change.name),
//!         Observed::Synced { serial, .. } => println!("that was all up to {serial}"),
//!         Observed::Reset { .. } => println!("control counts anew"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! `examples/watch.rs` is this with a certificate.

pub mod addresses;
pub mod backoff;
pub mod change;
pub mod holding;
pub mod committed;
#[cfg(test)]
mod fixtures;
pub mod staging;
pub mod exchange;
pub mod last_good;
pub mod writer;
pub mod config;
pub mod candidate;
pub mod status;
mod runner;
pub mod watch;
pub mod observer;
pub mod follower;

pub use addresses::Addresses;
pub use candidate::{Answer, Candidate, Source};
pub use change::{Change, Op};
pub use config::{Timing, WatchConfig};
pub use follower::{FollowConfig, Follower};
pub use observer::{Observed, Observer};
pub use status::Status;
pub use watch::Watch;
