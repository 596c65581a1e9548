//! Frames that all streams of one view share, encoded by whoever needs them first.
//!
//! In: which shelf a client holds and which it is to get. Out: the frames that lead there.
//! Invariant: a bounded number of steps is kept, the newest; encoding happens outside the lock that streams share.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use outrigger_model::resource::Serial;

use crate::publish::edition::{Edition, Shelf, Topic};
use crate::publish::frame::Frame;

// Clients of one view are at most a few snapshots apart; whoever is further behind costs one encoding.
const STEPS_MAX: usize = 48;

/// From which content to which, by the serials of the shelves; no serial: from nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    topic: Topic,
    from: Option<Serial>,
    to: Serial,
    /// Responses name the snapshot that they belong to.
    edition: Serial,
}

type Shared = Arc<OnceLock<Arc<[Frame]>>>;

#[derive(Debug, Default)]
pub struct FrameCache {
    steps: Mutex<VecDeque<(Step, Shared)>>,
}

impl FrameCache {
    /// The frames of one step, made by `encode` if nobody asked for them before.
    pub fn step(
        &self,
        topic: Topic,
        from: Option<&Shelf>,
        to: &Edition,
        encode: impl FnOnce() -> Vec<Frame>,
    ) -> Arc<[Frame]> {
        let step =
            Step { topic, from: from.map(|shelf| shelf.changed), to: to.shelf(topic).changed, edition: to.serial };
        Arc::clone(self.place(step).get_or_init(|| encode().into()))
    }

    fn place(&self, step: Step) -> Shared {
        // What a panicking holder left behind is still a list of steps.
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, shared)) = steps.iter().find(|(known, _)| *known == step) {
            return Arc::clone(shared);
        }
        let shared = Shared::default();
        steps.push_front((step, Arc::clone(&shared)));
        steps.truncate(STEPS_MAX);
        shared
    }
}

#[cfg(test)]
mod tests;
