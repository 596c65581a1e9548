//! When calls are meant to be sent: at a constant rate, whatever becomes of the calls before.
//!
//! In: a rate and a count. Out: the due time of each call, given out when it is due.
//! Why a thread: the runtime's timers are accurate to a millisecond, which would bunch calls; a sleeping thread is exact.
//! Invariant: the due time of call k is start + k / rate, computed from k, so that errors do not add up.

use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

/// How far the kernel may stretch a sleep; by default it takes 50 microseconds.
const SLACK_NANOS: u64 = 1_000;

#[derive(Debug, thiserror::Error)]
#[error("no thread for the beat")]
pub struct PaceError(#[from] std::io::Error);

/// A constant rate from a start.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    start: Instant,
    per_second: u64,
}

impl Pace {
    pub fn new(start: Instant, per_second: u64) -> Self {
        Self { start, per_second: per_second.max(1) }
    }

    /// When call `index` is meant to be sent.
    pub fn due(&self, index: u64) -> Instant {
        let nanos = u128::from(index) * 1_000_000_000 / u128::from(self.per_second);
        self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many calls are due by `now`.
    pub fn due_by(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.start).as_nanos();
        let passed = elapsed * u128::from(self.per_second) / 1_000_000_000;
        u64::try_from(passed).unwrap_or(u64::MAX).saturating_add(1)
    }
}

/// Gives out the due time of each of `count` calls, when it has come, until nobody takes them any more.
///
/// A full channel delays giving out, and not what is due.
pub fn beat(pace: Pace, count: u64, due: mpsc::Sender<Instant>) -> Result<(), PaceError> {
    let beating = move || {
        // Without it calls are a little later, which `late` shows.
        let _ = nix::sys::prctl::set_timerslack(SLACK_NANOS);
        let mut given = 0;
        while given < count {
            let until = pace.due_by(Instant::now()).min(count);
            while given < until {
                if due.blocking_send(pace.due(given)).is_err() {
                    return;
                }
                given += 1;
            }
            thread::sleep(pace.due(given).saturating_duration_since(Instant::now()));
        }
    };
    // It ends with its count or with its reader, so nobody has to wait for it.
    thread::Builder::new().name("beat".to_owned()).spawn(beating)?;
    Ok(())
}

#[cfg(test)]
mod tests;
