//! What is told of a call once it has ended.
//!
//! In: the call, the path it was for, how it ended. Out: one event.

use http::StatusCode;
use outrigger_model::resource::Serial;
use outrigger_proxy_core::mcp::method::Method;

use super::call::Call;
use super::serve::Side;
use crate::telemetry::{CallEnd, CallReport};

impl Side {
    pub(super) fn tell(&self, call: &Call, path: Option<&str>, end: CallEnd, status: Option<StatusCode>) {
        self.parts.events.call_finished(&CallReport {
            direction: self.direction,
            route: call.route(),
            end,
            status: status.map_or(0, |status| status.as_u16()),
            attempts: call.attempts,
            took: call.began.elapsed(),
            first_byte: call.first_byte,
            replica: call.attempt.as_ref().map(|attempt| attempt.endpoint.replica.as_str()),
            method: call.method.map(Method::label),
            serial: call.world.serial().map_or(0, |Serial(serial)| serial),
            trail: &call.trail,
            path,
        });
    }
}
