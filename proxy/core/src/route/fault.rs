//! Which calls of a route fail on purpose.
//!
//! In: the faults of a route, what was drawn for the call. Out: a [`Fault`], or nothing.

use std::time::Duration;

use http::StatusCode;

use super::split::{mix, part};
use crate::refusal::Refusal;
use crate::world::endpoint::Shaping;

/// Of one chance several things are drawn; each has a number of its own.
const DRAW: u64 = 0x0fa1;

/// What becomes of one call before it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub delay: Option<Duration>,
    /// None: it is sent.
    pub refusal: Option<Refusal>,
}

pub fn fault(shaping: &Shaping, chance: u64) -> Option<Fault> {
    let faults = shaping.faults?;
    if part(mix(chance ^ DRAW), 100) >= u32::from(faults.percent) {
        return None;
    }
    let status = faults.status.and_then(|status| StatusCode::from_u16(status).ok());
    Some(Fault { delay: faults.delay, refusal: status.map(|status| Refusal::FaultInjected { status }) })
}
