//! Which calls of a route are copied.
//!
//! In: the mirror of a route, the row of the call, what was drawn for it. Out: the pool that gets a copy, or nothing.
//! Never here: bodies; the shell copies only one that is still here as a whole.
//! Invariant: what opens a session, goes on with something (a session, a task, a state, a stream) or ends it is never copied: the replica
//! that got the copy would know nothing of it.

use std::sync::Arc;

use super::split::{mix, part};
use crate::mcp::table::Row;
use crate::world::endpoint::{Pool, Shaping};

/// Of one chance several things are drawn; each has a number of its own.
const DRAW: u64 = 0x3122;

/// The rows of docs/calls.md: discovery, lists, reads, tools and whatever else is no part of anything (2026-07-28), and calls of no session.
const COPIED: [u8; 6] = [1, 2, 3, 4, 9, 19];

pub fn copy<'s>(shaping: &'s Shaping, row: &Row, chance: u64) -> Option<&'s Arc<Pool>> {
    let mirror = shaping.mirror.as_ref()?;
    let is_drawn = part(mix(chance ^ DRAW), 100) < u32::from(mirror.percent);
    (is_drawn && COPIED.contains(&row.number)).then_some(&mirror.pool)
}
