//! The protobuf form of snapshots and reports, and its door to the model.
//!
//! In: bytes of a peer or a file. Out: values of `outrigger-model`, or a [`error::DecodeError`] that names the field.
//! And back: a model value always encodes, and equal values encode to equal bytes.
//! Never here: sockets, tasks, clocks, SQL, logs.
//! Invariant: nothing decoded is larger than the limits of the model; no input makes a function of this crate panic.
//!
//! Where to look: [`resource`] for one resource, [`body`] for a set of encoded ones (what a publisher and a watcher
//! both keep), [`manifest`] for what makes a set whole, [`watcher`] for who asks, [`report`] for facts upward,
//! [`proto`] for the generated services.

pub mod proto;
pub mod path;
pub mod error;
pub mod limit;
pub mod kind;
pub mod time;
pub mod report;
#[cfg(test)]
mod strategies;
pub mod encode;
pub mod decode;
pub mod watcher;
pub mod resource;
pub mod body;
pub mod manifest;
pub mod json;
