//! From facts and intent to what watchers receive.
//!
//! `scope` says what a watcher asked for, `build` makes the snapshot of that scope, `ledger` remembers when each resource
//! last changed.

pub mod scope;
pub mod stateful;
pub mod repeatable;
pub mod build;
pub mod ledger;
