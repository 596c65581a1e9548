//! The colour of each peer, the same in every picture.
//!
//! Invariant: each has enough contrast on the light paper and on the dark one, and eyes that see few colours tell them apart.

use crate::scenario::PeerName;

/// Colours after Okabe and Ito.
pub const fn of(peer: PeerName) -> &'static str {
    match peer {
        PeerName::Direct => "#8a8a8a",
        PeerName::Nginx => "#009e73",
        PeerName::Haproxy => "#2f8fd0",
        PeerName::Envoy => "#b06fc4",
        // Lighter than the plain one, which stands beside them.
        PeerName::EnvoyMcp => "#cc79a7",
        PeerName::EnvoyStateful => "#5f62c9",
        PeerName::OutriggerOneRoute => "#f0a860",
        PeerName::OutriggerHundredRoutes => "#c98a1a",
        PeerName::OutriggerTenThousandRoutes => "#a0522d",
        PeerName::OutriggerChanging => "#d62f4b",
        PeerName::OutriggerTenThousandRoutesChanging => "#8c2440",
        PeerName::Outrigger => "#e0640a",
    }
}
