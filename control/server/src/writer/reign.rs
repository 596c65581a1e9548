//! Who writes: this control, or another one that shares its store.

use std::sync::Arc;

use outrigger_control_core::snapshot::ledger::Ledger;

/// Whose word counts.
#[derive(Debug, Clone)]
pub enum Reign {
    /// Ours, from a start that found this ledger in the store.
    Own { term: u64, ledger: Arc<Ledger> },
    /// Another's.
    Other(NotLeading),
}

/// This control follows; what changes something must be sent to the one that leads.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("this control follows{}; send it to the one that leads", shown(.leader))]
pub struct NotLeading {
    /// Where that is, if it is known.
    pub leader: Option<String>,
}

fn shown(leader: &Option<String>) -> String {
    leader.as_ref().map(|leader| format!(", and {leader} leads")).unwrap_or_default()
}

impl Reign {
    pub const fn term(&self) -> Option<u64> {
        match self {
            Self::Own { term, .. } => Some(*term),
            Self::Other(_) => None,
        }
    }
}
