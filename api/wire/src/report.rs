//! What a proxy says of one replica and of its calls, and what it is told first: how often to signal, and how long it is believed.

use std::time::Duration;

use outrigger_model::replica::Replica;
use outrigger_model::tally::Tally;

use crate::proto::registry::{Calls, Welcome};

/// Metadata of a refusal of a control that follows: where the one that leads is reached.
pub const LEADER: &str = "outrigger-leader";

/// One replica of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedReplica {
    pub replica: Replica,
    /// Whether the agent answers its probe.
    pub serving: bool,
    /// Why it does not, for people; empty if it does.
    pub trouble: String,
}

/// The first hint of every report stream; a length beyond what the wire can say is left out.
pub fn welcome(light_every: Duration, lease: Duration) -> Welcome {
    let wire = |length: Duration| prost_types::Duration::try_from(length).ok();
    Welcome { light_every: wire(light_every), lease: wire(lease) }
}

pub fn calls(tally: &Tally) -> Calls {
    let Tally { since, calls, failed, begun, begun_micros } = *tally;
    Calls { since, calls, failed, begun, begun_micros }
}

/// Any numbers are a tally; who counts wrongly is compared wrongly.
pub fn tally(calls: &Calls) -> Tally {
    let Calls { since, calls, failed, begun, begun_micros } = *calls;
    Tally { since, calls, failed, begun, begun_micros }
}
