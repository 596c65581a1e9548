//! Translates a snapshot into the standard resources of one dialect.
//!
//! In: a snapshot, what the client says about itself, whom the mesh trusts. Out: [`Draft`]s, which have no token yet.
//! Never here: streams, and what cannot be translated; `gaps` names that.
//! Invariant: the same inputs make the same drafts; each cluster has its assignment, even an empty one, because clients wait for it.

mod draft;
mod table;
mod secrets;
mod tls;
mod clusters;
mod endpoints;
mod head;
mod retry;
mod share;
mod routes;
mod listener;
mod grpc;

use outrigger_model::snapshot::Snapshot;

use crate::stock::dialect::Dialect;

pub use draft::Draft;
pub use head::TOOL_ROWS_MAX;
pub use secrets::Trust;
pub use table::Table;

/// All resources of a snapshot, sorted by kind and name. `trust`: of a mesh that has identities.
pub fn translate(snapshot: &Snapshot, dialect: &Dialect, trust: Option<&Trust>) -> Vec<Draft> {
    let table = Table::of(snapshot);
    let mut drafts = match dialect {
        Dialect::Envoy(envoy) => {
            let mut drafts = clusters::clusters(&table, &tls::Tls { trust, envoy });
            drafts.extend(endpoints::assignments(&table, endpoints::Suspects::AreDegraded));
            drafts.extend(trust.map(secrets::trust));
            drafts.push(listener::listener(envoy));
            drafts.push(routes::routes(&table, envoy));
            drafts
        }
        Dialect::Grpc => {
            let mut drafts = grpc::clusters(&table);
            drafts.extend(endpoints::assignments(&table, endpoints::Suspects::ComeLast));
            drafts.extend(grpc::targets(&table));
            drafts
        }
    };
    drafts.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    drafts
}

#[cfg(test)]
mod tests;
