//! Waiting before a stream that ended is opened again.
//!
//! Invariant: who ends streams at once is asked twice a minute in the end; a stream that lasted is opened again soon.

use std::time::Duration;

use tokio::time::sleep;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// The pauses between the streams of one listener.
#[derive(Debug, Default)]
pub struct Pauses(u32);

impl Pauses {
    /// Whether there was one before.
    pub const fn any(&self) -> bool {
        self.0 > 0
    }

    /// Waits after a stream that lasted so long.
    pub async fn after(&mut self, lasted: Duration) {
        sleep(self.next(lasted)).await;
    }

    fn next(&mut self, lasted: Duration) -> Duration {
        if lasted >= LONGEST {
            self.0 = 0;
        }
        let pause = FIRST.saturating_mul(2u32.saturating_pow(self.0)).min(LONGEST);
        self.0 = self.0.saturating_add(1);
        pause
    }
}

#[cfg(test)]
mod tests;
