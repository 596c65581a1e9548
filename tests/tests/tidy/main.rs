//! The tidy test: reads the repository as text and holds the rules that no compiler holds.
//!
//! In: what git tracks or would track. Out: one failed test per broken rule, each line naming file, line and rule.
//! Never here: building or running the product.
//! Invariant: every check has a test that plants a violation and sees it caught.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod tree;
mod manifest;
mod layers;
mod modules;
mod order;
mod shape;
mod words;
mod invariants;
mod lock;
mod documents;
mod documented;
mod examples;

/// Fails with every complaint on a line of its own.
fn must_be_clean(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaint(s):\n{}", complaints.len(), complaints.join("\n"));
}
