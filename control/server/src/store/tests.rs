//! One suite for every store, what only a file can suffer, and what only several replicas on one database can.

pub mod cluster;
pub mod conformance;
mod damage;
mod shared;
mod growth;
mod crash;
