//! The control service: registration, snapshots, discovery, store.
//!
//! In: reports of proxies, and what operators declare. Out: numbered snapshots to every watcher, answers to operators.
//! Never here: calls of agents; control is not on their path, and connects to nobody but where an operator calls
//! an agent through it (`relay`).

mod causes;
pub mod ca;
pub mod store;
pub mod config;
pub mod telemetry;
pub mod lifecycle;
pub mod authn;
pub mod leader;
pub mod writer;
pub mod sweep;
pub mod publish;
pub mod stock;
pub mod discovery;
pub mod watch;
pub mod registration;
pub mod intent;
pub mod rollout;
pub mod grpc;
pub mod caller;
pub mod upstream;
pub mod relay;
pub mod mesh;
pub mod http;
pub mod app;
