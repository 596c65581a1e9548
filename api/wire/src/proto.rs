//! The code generated from `proto/`, under short names.
//!
//! Invariant: outside this crate only the services, the discovery, intent and rollout messages and the hints are used as they are;
//! everything else passes through [`crate::encode`] and [`crate::decode`].

mod packages {
    #![allow(clippy::all, clippy::unwrap_used, clippy::indexing_slicing, clippy::wildcard_imports)]
    #![allow(unused_qualifications)]
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}

pub use packages::envoy::service::discovery::v3 as discovery;
pub use packages::google::rpc;
pub use packages::outrigger::intent::v1 as intent;
pub use packages::outrigger::registry::v1 as registry;
pub use packages::outrigger::rollout::v1 as rollout;
pub use packages::outrigger::snapshot::v1 as snapshot;

impl std::fmt::Debug for snapshot::keyring::Key {
    /// Without the secret.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Key").field("id", &self.id).field("made_at", &self.made_at).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for intent::PlanRequest {
    /// Without the document, which may hold secrets.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("PlanRequest").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for intent::PublishRequest {
    /// Without the document, which may hold secrets.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { document: _, expected, author, reason } = self;
        let mut told = out.debug_struct("PublishRequest");
        told.field("expected", expected).field("author", author).field("reason", reason).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for rollout::StartRequest {
    /// Without the document, which may hold secrets.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("StartRequest").finish_non_exhaustive()
    }
}

/// The descriptors of all services, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
