//! A rollout under way: what both groups do, and what follows from it.
//!
//! `seen` reads who is in which lane, `judge` looks every half second and tells the writer what the core decides. `desk` answers operators;
//! `serve` is its door over gRPC, the one over HTTP is in `http`.
//! Never here: the rules of the gate, who is in the lane; the core has both. The writer moves a rollout, nobody else.

pub mod seen;
pub mod judge;
pub mod desk;
pub mod serve;
