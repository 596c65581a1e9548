//! What the proxy tells about itself in numbers and lines.
//!
//! In: one event per thing that happened. Out: metrics in a registry that was passed in, log lines, spans.
//! Never here: ids of sessions, URLs, error texts or tool arguments in labels.
//! Invariant: on the request path an event takes no lock that all calls share and allocates no label.

mod histogram;
pub mod values;
pub mod labels;
pub mod probed;
pub mod metrics;
mod routes;
mod tally;
pub mod report;
pub mod events;
pub mod process;

pub use events::Events;
pub use metrics::Metrics;
pub use report::{CallReport, OpenCall, RefusedUse};
pub use values::{
    Announcement, CallEnd, Copied, Direction, Hedged, Invalidation, Lookup, Moved, Queued, Searched, StoreFault,
    StoreKind,
};

#[cfg(test)]
mod tests;
