//! What outlives one request: the tasks, the seal of request states, who listens for changes.
//!
//! In: changes of the lists. Out: the same changes to everyone who listens.
//! Never here: sessions; the SDK keeps those.
//! Invariant: the seal is made by this process and told to no one, so a state that comes back to another replica is refused.

use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use rmcp::model::{Prompt, RequestStateCodec, Tool};
use rmcp::task_manager::TaskManager;
use tokio::sync::broadcast;

use super::offers::Offers;

/// Changes that a slow listener may lag behind before it misses some.
const CHANGES_BEHIND_MAX: usize = 64;
const SEAL_KEY_BYTES: usize = 32;

/// A list that has changed.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    Tools,
    Prompts,
}

pub struct Shared {
    pub offers: Offers,
    pub tasks: TaskManager,
    pub seal: RequestStateCodec,
    changes: broadcast::Sender<Change>,
    tool_added: AtomicBool,
    prompt_added: AtomicBool,
}

impl Shared {
    pub fn new() -> anyhow::Result<Self> {
        let mut key = vec![0; SEAL_KEY_BYTES];
        File::open("/dev/urandom")?.read_exact(&mut key)?;
        Ok(Self {
            offers: Offers::read()?,
            tasks: TaskManager::new(),
            seal: RequestStateCodec::try_new(key)?,
            changes: broadcast::channel(CHANGES_BEHIND_MAX).0,
            tool_added: AtomicBool::new(false),
            prompt_added: AtomicBool::new(false),
        })
    }

    pub fn tools(&self) -> Vec<Tool> {
        let added = self.tool_added.load(Ordering::Relaxed).then_some(&self.offers.added_tool);
        self.offers.tools.iter().chain(added).cloned().collect()
    }

    pub fn prompts(&self) -> Vec<Prompt> {
        let added = self.prompt_added.load(Ordering::Relaxed).then_some(&self.offers.added_prompt);
        self.offers.prompts.iter().chain(added).cloned().collect()
    }

    /// Adds what is away or takes away what was added, and tells everyone who listens.
    pub fn change(&self, change: Change) {
        let added = match change {
            Change::Tools => &self.tool_added,
            Change::Prompts => &self.prompt_added,
        };
        added.fetch_xor(true, Ordering::Relaxed);
        // An error says that nobody listens.
        let _ = self.changes.send(change);
    }

    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }
}
