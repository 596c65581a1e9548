//! Every decision of the proxy, as pure functions: facts in, a closed answer out.
//!
//! In: what a request said in its head, the compiled world, what became of an attempt, `now`. Out: plans, verdicts, refusals.
//! Never here: sockets, async runtimes, protobuf, clocks, chance of our own, logs, metrics.
//! Invariant: the order of modules below is the order of layers; a module uses only those listed before it.

pub mod aggregate;
pub mod refusal;
pub mod http1;
pub mod http2;
pub mod outcome;
pub mod target;
pub mod site;
pub mod announce;
pub mod asked;
pub mod dialled;
pub mod mcp;
pub mod events;
pub mod deadline;
pub mod retry;
pub mod gate;
pub mod limit;
pub mod health;
pub mod line;
pub mod room;
pub mod live;
pub mod world;
#[cfg(test)]
mod tests;
pub mod balance;
pub mod route;
pub mod session;
pub mod plan;
pub mod again;
pub mod explain;
pub mod visit;
pub mod outside;
pub mod forward;
