//! Names everything of a snapshot that cannot be said to a stock client, so that nothing is dropped silently.
//!
//! In: a snapshot. Out: [`Gap`]s, each with the place and what becomes of it there.
//! Invariant: what an operator declared is either in the translation or in here; what holds for every snapshot comes first, once.

mod gap;
mod route;
mod pool;

use outrigger_model::settings::{SessionLimits, SessionMode};
use outrigger_model::snapshot::Snapshot;

use crate::stock::view::Table;

pub use gap::Gap;

/// What no snapshot can say to Envoy, because it has no words for it.
const ALWAYS: [&str; 7] = [
    "`/mcp` without a name: the lists of all agents are not made one; each name has a path of its own",
    "a session whose replica is gone is not opened again elsewhere; its client is answered 404 and opens another",
    "sessions belong to the Envoy and not to the client behind it: who knows an id may use it",
    "task ids, states of calls and callers are not followed; calls without a session are balanced",
    "gRPC clients take one endpoint after the other where a pool says least_request",
    "reads are tried again only where nothing was sent, and an error inside an answer of status 200 counts as success",
    "event streams of 2024-11-05 announce a path that Envoy does not have; later revisions are served",
];

/// Everything, sorted within its group.
pub fn inexpressible(snapshot: &Snapshot) -> Vec<Gap> {
    let table = Table::of(snapshot);
    let mut declared = settings(snapshot);
    declared.extend(table.pools().flat_map(|pool| pool::gaps(&table, pool)));
    declared.extend(table.routes().flat_map(|route| route::gaps(&table, route)));
    declared.sort();
    let always = ALWAYS.iter().map(|says| Gap { at: "mesh".to_owned(), says });
    always.chain(declared).collect()
}

fn settings(snapshot: &Snapshot) -> Vec<Gap> {
    let settings = &snapshot.resources().settings;
    let mut gaps = Vec::new();
    let mut gap = |field: &str, says| gaps.push(Gap { at: format!("Settings/self.{field}"), says });
    if settings.session_mode == SessionMode::Sealed {
        gap(
            "session_mode",
            "ids of sessions are not sealed; Envoy writes the address of the replica into them, unsigned",
        );
    }
    if settings.session_limits != SessionLimits::default() {
        gap("session_limits", "open sessions are not counted");
    }
    gaps
}

#[cfg(test)]
mod tests;
