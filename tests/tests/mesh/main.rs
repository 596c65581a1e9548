//! Whole-mesh tests: real agents, real clients, real proxies and control, in one integration binary.
//!
//! In: what `tests/setup.sh` installed and what cargo built. Out: the promises of the README, held or broken.
//! Never here: private wiring; everything is seen through ports, files and the command line.
//! Invariant: tests share nothing, so they run side by side in any order.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod peers;
mod sessions;
mod crowds;
mod lost;
mod keyed;
mod sealed;
mod limits;
mod outages;
mod replicas;
mod restarts;
mod failover;
mod retries;
mod faults;
mod detection;
mod redis;
mod hijack;
mod revisions;
mod streams;
mod bad_input;
mod operators;
mod watch;
mod examples;
mod published;
mod mcp_mesh;
mod stories;
mod http2;
mod paths;
mod aggregate;
mod traffic;
mod intent;
mod rollout;
mod stock;
mod meshctl;
