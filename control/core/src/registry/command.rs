//! What the registry is asked, what it goes by, and what it answers.
//!
//! In: what streams, sweeps and other rooms have to say. Out: the closed lists that [`super::Registry`] works with.
//! Never here: what a command does.
//! Invariant: whoever sends a command learns from its answer alone what to do next.

use std::collections::BTreeSet;
use std::time::Duration;

use outrigger_model::address::Cidr;
use outrigger_model::name::{NodeId, ReplicaId};
use outrigger_model::settings::Settings;
use outrigger_model::tally::Tally;

use crate::agent::{Claim, Refusal, Sender};
use crate::event::{Event, EventKind};
use crate::lease::LeaseRules;
use crate::revocation::{Full, Target};

/// What the registry goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    pub lease: LeaseRules,
    /// Networks in which a proxy may advertise addresses other than its own.
    pub networks: Vec<Cidr>,
    pub replicas_max: usize,
    /// How old a revocation may become: as old as a session may.
    pub revocations_kept: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            lease: LeaseRules::default(),
            networks: Vec::new(),
            replicas_max: 20_000,
            revocations_kept: Settings::default().session_lifetime,
        }
    }
}

/// One report stream, numbered by whoever accepts them; a proxy that comes back has a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

impl StreamId {
    /// On which every agent speaks that registers itself, over requests that each stand alone.
    pub const DIRECT: Self = Self(u64::MAX);
}

#[derive(Debug, Clone)]
pub enum Command {
    /// Everything a proxy fronts. What an earlier report had and this one has not is withdrawn.
    /// `tally`: how its calls went; none from an older proxy.
    Report { stream: StreamId, sender: Sender, claims: Vec<Claim>, tally: Option<Tally> },
    /// Nothing changed at this proxy.
    Light { stream: StreamId, node: NodeId, tally: Option<Tally> },
    /// The stream broke without a farewell.
    StreamLost { stream: StreamId, node: NodeId },
    /// The proxy shuts down: sessions stay, new ones go elsewhere.
    Draining { stream: StreamId, node: NodeId },
    /// Orderly end: its replicas are withdrawn.
    Leave { stream: StreamId, node: NodeId },
    /// An operator ends sessions.
    Revoke { target: Target, reason: String },
    /// Time has passed; sent about once a second.
    Sweep,
    /// Something that another room saw and the log should tell.
    Note { kind: EventKind, subject: String, detail: String },
}

/// What the sender of a command is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Answer {
    #[default]
    Noted,
    /// The report is in, except for these.
    Taken {
        refused: Vec<Refusal>,
    },
    /// The node or its stream is not known, or its lease ended: a full report is needed.
    ReportAgain,
    /// What began until then, in seconds since 1970, is over.
    Revoked {
        at: u64,
    },
    NotRevoked(Full),
}

/// What one command did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    pub answer: Answer,
    /// Replicas whose stored rows are out of date; one that the facts no longer hold is to be deleted.
    pub touched: BTreeSet<ReplicaId>,
    /// Revocations to be stored.
    pub revoked: Option<Target>,
    /// Revocations that grew too old.
    pub released: Vec<Target>,
    /// Those are all from before this moment, in seconds since 1970.
    pub released_before: u64,
    /// Whether a snapshot made now may differ from one made before.
    pub is_relevant: bool,
    pub events: Vec<Event>,
}
