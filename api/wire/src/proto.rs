//! The code generated from `proto/`, under short names.
//!
//! Invariant: outside this crate only the services, the discovery messages and the hints are used as they are;
//! everything else passes through [`crate::encode`] and [`crate::decode`].

mod packages {
    #![allow(clippy::all, clippy::unwrap_used, clippy::indexing_slicing, clippy::wildcard_imports)]
    #![allow(unused_qualifications)]
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}

pub use packages::envoy::service::discovery::v3 as discovery;
pub use packages::google::rpc;
pub use packages::outrigger::registry::v1 as registry;
pub use packages::outrigger::snapshot::v1 as snapshot;

/// The descriptors of all services, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
