//! What is measured: a YAML file becomes a [`Scenario`] that holds only what can be run.
//!
//! In: a file of `load-tests/scenarios`. Out: a scenario, or which key is wrong.
//! Invariant: every load is bounded in calls and in time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::echo::{Era, Form};
use crate::generate::Dress;

/// Limits of one run, so that no file makes a bench that does not end.
const CALLS_MAX: u64 = 2_000_000;
const SECONDS_MAX: u64 = 60;
const CONNECTIONS_MAX: usize = 4_000;
const ROUNDS_MAX: usize = 50;
const BODY_BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    #[error("{0}: cannot be read")]
    Read(PathBuf, #[source] std::io::Error),
    #[error("{path}: {said}")]
    Parse { path: PathBuf, said: String },
    #[error("{path}: `{key}` {wrong}")]
    Value { path: PathBuf, key: &'static str, wrong: &'static str },
}

/// Which way calls go: through one proxy, or through two with mTLS between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    OneHop,
    TwoHopsMtls,
}

/// Who carries the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerName {
    Direct,
    Nginx,
    Haproxy,
    Envoy,
    Outrigger,
}

impl PeerName {
    pub const fn text(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Envoy => "Envoy",
            Self::Outrigger => "Outrigger",
        }
    }
}

/// The plan of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Closed loop, so many calls.
    Saturate { calls: u64 },
    /// Open loop.
    Rate { per_second: u64, calls: u64 },
    /// Sessions opened and closed, so many calls in each.
    Sessions { calls: u64, calls_each: u64 },
    /// Answers as streams of events.
    Streams { calls: u64 },
    /// Nothing but open connections, and open streams.
    Idle { streams: usize },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    pub name: String,
    pub says: String,
    pub way: Way,
    pub peers: Vec<PeerName>,
    /// Replicas of the echo agent; only Outrigger spreads over several.
    pub replicas: usize,
    pub rounds: usize,
    pub connections: usize,
    pub load: Load,
    pub dress: Dress,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LoadFile {
    Saturate,
    Rate,
    Sessions,
    Streams,
    Idle,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EraFile {
    #[default]
    Legacy,
    Modern,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioFile {
    /// Name in results and tables.
    name: String,
    /// One sentence for the reader of a table.
    says: String,
    way: Way,
    peers: Vec<PeerName>,
    #[serde(default = "one")]
    replicas: usize,
    rounds: usize,
    load: LoadFile,
    connections: usize,
    /// Calls of a run: `saturate`, `sessions`, `streams`.
    #[serde(default)]
    calls: u64,
    /// `rate`: how fast, and how long.
    #[serde(default)]
    per_second: u64,
    #[serde(default)]
    seconds: u64,
    /// `sessions`: calls between opening and closing.
    #[serde(default)]
    calls_each: u64,
    /// `streams`: events before the answer, and the pause between two.
    #[serde(default)]
    events: u32,
    #[serde(default)]
    every_ms: u32,
    /// `idle`: open streams, beside the connections.
    #[serde(default)]
    streams: usize,
    #[serde(default)]
    era: EraFile,
    /// Each caller opens a session before the run and calls within it.
    #[serde(default)]
    session: bool,
    /// Text added to the arguments of each call.
    #[serde(default = "hundred")]
    padding_bytes: usize,
}

const fn one() -> usize {
    1
}

const fn hundred() -> usize {
    100
}

impl Scenario {
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path).map_err(|cause| ScenarioError::Read(path.to_owned(), cause))?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ScenarioError> {
        let file: ScenarioFile = serde_saphyr::from_str(text)
            .map_err(|cause| ScenarioError::Parse { path: path.to_owned(), said: cause.to_string() })?;
        file.check().map_err(|(key, wrong)| ScenarioError::Value { path: path.to_owned(), key, wrong })
    }

    /// Numbers that a run may give out.
    pub fn numbers(&self) -> u64 {
        match self.load {
            Load::Saturate { calls }
            | Load::Rate { calls, .. }
            | Load::Sessions { calls, .. }
            | Load::Streams { calls } => calls,
            Load::Idle { .. } => 0,
        }
    }

    /// How long a run may take before it is given up.
    pub fn time_max(&self) -> Duration {
        Duration::from_secs(SECONDS_MAX * 2)
    }
}

type Wrong = (&'static str, &'static str);

impl ScenarioFile {
    fn check(self) -> Result<Scenario, Wrong> {
        let within = |good: bool, key, wrong| if good { Ok(()) } else { Err((key, wrong)) };
        within(!self.peers.is_empty(), "peers", "names nobody")?;
        within((1..=ROUNDS_MAX).contains(&self.rounds), "rounds", "is not between 1 and 50")?;
        within((1..=CONNECTIONS_MAX).contains(&self.connections), "connections", "is not between 1 and 4000")?;
        within(self.padding_bytes <= BODY_BYTES_MAX, "padding_bytes", "is over 1 MiB")?;
        within((1..=8).contains(&self.replicas), "replicas", "is not between 1 and 8")?;
        let alone = self.peers.iter().all(|peer| *peer == PeerName::Outrigger);
        within(self.replicas == 1 || alone, "replicas", "is more than 1 for peers that do not know sessions")?;
        let era = match self.era {
            EraFile::Legacy => Era::Legacy,
            EraFile::Modern => Era::Modern,
        };
        within(era == Era::Legacy || !self.session, "session", "does not exist in the modern era")?;
        let load = self.load()?;
        let form = match load {
            Load::Streams { .. } => Form::Events { count: self.events, every_ms: self.every_ms },
            _ => Form::Json,
        };
        let dress = Dress { era, session: self.session, form, padding: "x".repeat(self.padding_bytes) };
        Ok(Scenario {
            name: self.name,
            says: self.says,
            way: self.way,
            peers: self.peers,
            replicas: self.replicas,
            rounds: self.rounds,
            connections: self.connections,
            load,
            dress,
        })
    }

    fn load(&self) -> Result<Load, Wrong> {
        let calls = |calls| {
            if (1..=CALLS_MAX).contains(&calls) { Ok(calls) } else { Err(("calls", "is not between 1 and 2000000")) }
        };
        match self.load {
            LoadFile::Saturate => Ok(Load::Saturate { calls: calls(self.calls)? }),
            LoadFile::Rate => {
                if !(1..=SECONDS_MAX).contains(&self.seconds) {
                    return Err(("seconds", "is not between 1 and 60"));
                }
                let calls = calls(self.per_second.saturating_mul(self.seconds))?;
                Ok(Load::Rate { per_second: self.per_second, calls })
            }
            LoadFile::Sessions if self.calls_each == 0 => Err(("calls_each", "is missing")),
            LoadFile::Sessions if self.session => Err(("session", "is what this load opens by itself")),
            LoadFile::Sessions => Ok(Load::Sessions { calls: calls(self.calls)?, calls_each: self.calls_each }),
            LoadFile::Streams if self.events == 0 => Err(("events", "is missing")),
            LoadFile::Streams => Ok(Load::Streams { calls: calls(self.calls)? }),
            LoadFile::Idle => Ok(Load::Idle { streams: self.streams.min(CONNECTIONS_MAX) }),
        }
    }
}

#[cfg(test)]
mod tests;
