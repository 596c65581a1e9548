//! What a watcher is told when it starts.

use std::path::PathBuf;
use std::time::Duration;

use outrigger_model::label::Labels;
use outrigger_model::name::{Namespace, NodeId};
use outrigger_model::requirement::Dependency;

/// Who watches, for what, and where its last good snapshot is kept.
#[derive(Debug, Clone)]
pub struct WatchConfig {
    pub node: NodeId,
    /// Defines the view: a route per dependency. At most `outrigger_wire::limit::NEEDS_MAX`.
    pub needs: Vec<Dependency>,
    /// Whose agents the view holds.
    pub namespace: Namespace,
    /// Name and version of the program, shown to operators.
    pub build: String,
    /// By which operators pick it.
    pub labels: Labels,
    /// Whether its view holds what it needs, and nothing beside.
    pub only_needs: bool,
    /// None: memory only.
    pub last_good: Option<PathBuf>,
    pub timing: Timing,
}

/// How patient a watcher is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// A stream that is silent for this long is given up; control sends something every 10 s.
    pub silence_max: Duration,
    /// The first wait after a lost stream, at most.
    pub retry_first: Duration,
    /// The longest wait between two tries.
    pub retry_longest: Duration,
    /// The least time between two writes of the last good file.
    pub write_every: Duration,
}

impl WatchConfig {
    /// A watcher of the default namespace, without dependencies and without a file.
    pub fn new(node: NodeId, build: &str) -> Self {
        let timing = Timing::default();
        let (needs, build, labels) = (Vec::new(), build.to_owned(), Labels::default());
        Self { node, needs, namespace: Namespace::default(), build, labels, only_needs: false, last_good: None, timing }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            silence_max: Duration::from_secs(30),
            retry_first: Duration::from_millis(100),
            retry_longest: Duration::from_secs(15),
            write_every: Duration::from_secs(2),
        }
    }
}
