//! A proxy that comes and goes, as far as control can tell: each of its reports changes the world of every other proxy.
//!
//! In: where control takes reports. Out: one change after the other, and the serial of the snapshot that has it.
//! Why not a process: to start one takes a core for longer than what is measured.

use std::net::SocketAddr;
use std::time::Duration;

use outrigger_wire::proto::registry::{Replica, Report};

use crate::speaker::{Speaker, SpeakerError};

const NODE: &str = "visitor";
/// How long control may take for anything.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// The agents it has in turn; each change takes one away and brings another.
const AGENTS: u64 = 50;

/// An open stream of reports.
#[derive(Debug)]
pub struct Visitor {
    speaker: Speaker,
    changes: u64,
}

impl Visitor {
    pub async fn arrive(control: SocketAddr) -> Result<Self, SpeakerError> {
        Ok(Self { speaker: Speaker::open_within(control, NODE, ANSWER_MAX).await?, changes: 0 })
    }

    /// Makes one change; gives the serial of the first snapshot that has it.
    pub async fn change(&mut self) -> Result<u64, SpeakerError> {
        self.changes += 1;
        let agent = format!("visitor-{}", self.changes % AGENTS);
        let replica = Replica {
            id: format!("{agent}-0"),
            agent,
            semver: "1.0.0".to_owned(),
            // Nobody calls it.
            address: "127.0.0.1:9".to_owned(),
            generation: self.changes,
            weight: 100,
            serving: true,
            ..Replica::default()
        };
        self.speaker.report(Report { replicas: vec![replica], calls: None }).await
    }

    /// Leaves the world as it was.
    pub async fn leave(self) {
        // A control that is gone has nothing to be told.
        let _ = self.speaker.leave().await;
    }
}
