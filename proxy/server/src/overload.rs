//! Whether there is too much to do: calls in flight and memory, against what the operator allows.
//!
//! In: settings, the count of calls, what the system says of this process. Out: let in, or the refusal.
//! Never here: who goes first; that is the core's `limit::pressure`.
//! Invariants: a call reads two numbers and waits for nothing; memory is looked at by a task. What operators ask (admin, health) has
//! listeners of its own and is never refused here.

mod ceiling;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use outrigger_model::traffic::Priority;
use outrigger_proxy_core::limit::pressure::{self, Level};
use outrigger_proxy_core::refusal::Refusal;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::config::settings::{MemoryMax, Overload as Settings};
use crate::lifecycle::Tasks;
use crate::telemetry::{Events, process};

/// What calls ask before they are let in.
pub struct Overload {
    in_flight_max: Option<u64>,
    /// As it was last looked at.
    memory: AtomicU32,
    events: Arc<Events>,
}

impl Overload {
    /// None where the operator set no limit. Looks at memory in a task of `work`; must be called inside a tokio runtime.
    pub fn start(settings: &Settings, events: &Arc<Events>, work: &mut Tasks) -> Option<Arc<Self>> {
        if settings.in_flight_max.is_none() && settings.memory.is_none() {
            return None;
        }
        let overload = Arc::new(Self::new(settings.in_flight_max, Arc::clone(events)));
        let bytes_max = settings.memory.and_then(memory_max);
        let (seen, stop, period) = (Arc::clone(&overload), work.token(), settings.check);
        work.spawn("overload", async move {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = ticks.tick() => seen.look(bytes_max),
                    () = stop.cancelled() => return,
                }
            }
        });
        Some(overload)
    }

    pub const fn new(in_flight_max: Option<u64>, events: Arc<Events>) -> Self {
        Self { in_flight_max, memory: AtomicU32::new(0), events }
    }

    /// Whether one more call is let in, which is counted as in flight already.
    pub fn admit(&self, priority: Priority, stream: bool) -> Result<(), Refusal> {
        let others = self.events.in_flight().saturating_sub(1);
        let calls = self.in_flight_max.map_or(0, |max| pressure::level(others, max));
        let level = calls.max(self.memory.load(Ordering::Relaxed));
        if pressure::admits(level, priority, stream) { Ok(()) } else { Err(Refusal::Overloaded) }
    }

    /// How much memory is used of what may be.
    pub fn memory_is(&self, level: Level) {
        self.memory.store(level, Ordering::Relaxed);
        self.events.pressure("memory", level);
    }

    fn look(&self, bytes_max: Option<u64>) {
        if let Some(max) = self.in_flight_max {
            self.events.pressure("in_flight", pressure::level(self.events.in_flight(), max));
        }
        let used = process::resident_bytes().and_then(|bytes| u64::try_from(bytes).ok());
        if let (Some(max), Some(used)) = (bytes_max, used) {
            self.memory_is(pressure::level(used, max));
        }
    }
}

/// None where the system does not say what a percentage is of.
fn memory_max(written: MemoryMax) -> Option<u64> {
    let percent = match written {
        MemoryMax::Bytes(bytes) => return Some(bytes),
        MemoryMax::Percent(percent) => percent,
    };
    let Some(ceiling) = ceiling::read(Path::new("/")) else {
        warn!("how much memory there is cannot be read; `overload.memory_percent` is without effect");
        return None;
    };
    let bytes = ceiling / 100 * u64::from(percent);
    info!(bytes, percent, "calls are refused when memory comes near this");
    Some(bytes)
}
