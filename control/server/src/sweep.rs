//! Tells the writer once a second that time has passed.

use std::time::Duration;

use outrigger_control_core::registry::Command;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::writer::{NotApplied, Writer};

const EVERY: Duration = Duration::from_secs(1);

pub fn start(writer: Writer, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {
                    // Time is the leader's to judge; a follower may be one in a moment.
                    if matches!(writer.apply(Command::Sweep).await, Err(NotApplied::Stopped(_))) {
                        break;
                    }
                }
            }
        }
    })
}
