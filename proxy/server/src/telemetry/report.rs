//! What is told of a call and of the use of a session.

use std::time::Duration;

use outrigger_model::revocation::SessionName;
use prometheus_client::metrics::gauge::Gauge;

use super::values::{CallEnd, Direction};

/// A call that ended.
#[derive(Debug, Clone, Copy)]
pub struct CallReport<'a> {
    pub direction: Direction,
    /// A route of the world (outbound) or a local agent (inbound); none if nothing matched.
    pub route: Option<&'a str>,
    pub end: CallEnd,
    /// What the caller got; 0 if it got no head.
    pub status: u16,
    /// Endpoints that were tried.
    pub attempts: u32,
    pub took: Duration,
    pub first_byte: Option<Duration>,
    /// The endpoint that answered, for the log only.
    pub replica: Option<&'a str>,
    /// The MCP method if it is known, for the log only.
    pub method: Option<&'a str>,
    /// Serial of the world that the call saw.
    pub serial: u64,
    /// The attempts before the last and how they ended, for the log only.
    pub trail: &'a str,
    /// What was called, for what the log says of it.
    pub path: Option<&'a str>,
}

/// A use of a session that was refused.
#[derive(Debug, Clone, Copy)]
pub struct RefusedUse<'a> {
    pub direction: Direction,
    /// Who asked; empty where nobody proved it.
    pub caller: &'a str,
    pub agent: &'a str,
    pub session: SessionName,
    /// `another_caller`, `revoked` or `aged`.
    pub decision: &'static str,
}

/// A call in flight, for as long as it is held.
#[derive(Debug)]
pub struct OpenCall(pub(super) Gauge);

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.0.dec();
    }
}
