//! The official conformance suite, direct and through the mesh: the same checks with the same statuses.
//!
//! In: what `tests/setup.sh` installed and what cargo built. Out: every check that differs, by name.
//! Never here: scenarios of our own; those are in the whole-mesh tests.
//! Invariant: a known difference stands in a closed list with its reason, and a list that is no longer true fails as well.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]
#![allow(clippy::print_stdout, reason = "the figures of a run are shown with --nocapture")]

mod client;
mod server;
