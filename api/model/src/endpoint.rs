//! Where calls for one replica go.
//!
//! In: a replica that may be called. Out: an [`Endpoint`] of a pool.

use std::net::SocketAddr;

use crate::identity::SpiffeId;
use crate::name::ReplicaId;
use crate::replica::Generation;

/// Largest tier of an endpoint.
pub const TIER_MAX: u8 = 15;
/// Longest name of a zone, in bytes.
pub const ZONE_BYTES_MAX: usize = 63;

/// Whether it can be the name of a zone; none is the empty one.
pub fn is_zone(text: &str) -> bool {
    text.len() <= ZONE_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether new work may go to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointState {
    /// Takes everything.
    Up,
    /// Its proxy fell silent: chosen only when nothing that is up is left.
    Suspect,
    /// Keeps the sessions it has and gets nothing new.
    Draining,
}

/// The inbound listener of the proxy in front of one replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub replica: ReplicaId,
    pub address: SocketAddr,
    /// What the listener must prove; none means plaintext, accepted only where the mesh runs with `insecure: true`.
    pub identity: Option<SpiffeId>,
    pub generation: Generation,
    /// Relative share of new calls, 1 to 1000.
    pub weight: u16,
    pub state: EndpointState,
    /// Which preference it is of: endpoints of tier 0 come first, at most [`TIER_MAX`].
    pub tier: u8,
    /// Where it runs, as its proxy says; empty: it does not.
    pub zone: String,
    /// What the tool of a call is named there, where it is not named as the caller knows it; empty: as the caller knows it.
    pub tool: String,
}

impl EndpointState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Suspect => "suspect",
            Self::Draining => "draining",
        }
    }
}
