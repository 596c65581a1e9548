//! What a proxy says of one replica: the replica itself, and whether it may be called.

use outrigger_model::replica::Replica;

/// One replica of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedReplica {
    pub replica: Replica,
    /// Whether the agent answers its probe.
    pub serving: bool,
    /// Why it does not, for people; empty if it does.
    pub trouble: String,
}
