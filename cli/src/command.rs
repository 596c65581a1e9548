//! One module per command; each takes its own arguments and nothing else.

pub mod ca;
pub mod call;
pub mod check;
pub mod completion;
pub mod control;
pub mod explain;
pub mod get;
pub mod healthcheck;
pub mod proxy;
pub mod schema;
pub mod sessions;
pub mod snapshot;
pub mod validate;
pub mod watch;
pub mod up;
