//! Who is refused first when there is too much to do.
//!
//! In: how much is used of what there is, the priority of a call, and whether it is a stream. Out: whether it is let in.
//! Order: new streams and calls of low priority from 85 % on, normal ones from 95 %, high ones only when there is nothing left.
//! Never here: what is measured, and how.

use outrigger_model::traffic::Priority;

/// How much is used, in thousandths; more than 1000 where the limit is passed.
pub type Level = u32;

const LOW: Level = 850;
const NORMAL: Level = 950;
const HIGH: Level = 1_000;

/// Set between proxies on calls that are not of normal priority.
pub const PRIORITY_HEADER: &str = "outrigger-priority";

pub fn level(used: u64, max: u64) -> Level {
    let level = u128::from(used) * 1_000 / u128::from(max.max(1));
    Level::try_from(level).unwrap_or(Level::MAX)
}

/// `stream`: it stays open for as long as its caller wants.
pub const fn admits(level: Level, priority: Priority, stream: bool) -> bool {
    let refused_from = match (priority, stream) {
        (Priority::Low, _) | (_, true) => LOW,
        (Priority::Normal, false) => NORMAL,
        (Priority::High, false) => HIGH,
    };
    level < refused_from
}

/// What a peer says of a call; what nobody can read is normal.
pub fn said(value: &[u8]) -> Priority {
    std::str::from_utf8(value).ok().and_then(Priority::parse).unwrap_or_default()
}

#[cfg(test)]
mod tests;
