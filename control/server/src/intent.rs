//! What operators ask of intents, whichever door they come through: plan, publish, roll back, history, differences.
//!
//! `desk` answers; `plan` says what a change would do, `shown` what a record says without its secrets, `difference` what differs between
//! two. `serve` is the door over gRPC; the one over HTTP is in `http`.

pub mod plan;
pub mod shown;
pub mod difference;
pub mod desk;
pub mod serve;
