//! What the handlers share.
//!
//! Invariant: whoever holds a desk sees sheets in the order of their pictures.

use std::sync::Arc;
use std::time::Duration;

use outrigger_control_core::lease::LeaseRules;
use outrigger_control_core::registry::{Command, StreamId};
use outrigger_model::address::Cidr;
use outrigger_model::resource::Serial;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::lifecycle::Lifecycle;
use crate::upstream::directory::{Directory, Entry};
use crate::upstream::keeper::Keeper;
use crate::upstream::memory::Memory;
use crate::upstream::sheet::Sheet;
use crate::writer::Writer;

/// Full heartbeats that are read and judged at once; further ones wait. Memory is at most this many bodies.
const HEARTBEATS_MAX: usize = 64;
/// Facts become a picture within a quarter of a second.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    pub writer: Writer,
    pub lifecycle: Lifecycle,
    pub directory: Arc<Directory>,
    pub memory: Memory,
    pub keeper: Keeper,
    pub sheets: watch::Receiver<Arc<Sheet>>,
    pub networks: watch::Receiver<Arc<[Cidr]>>,
    /// Whether plaintext is allowed beyond loopback.
    pub is_insecure: bool,
    pub places: Arc<Semaphore>,
    pub started: Instant,
    renew_every: Duration,
}

/// What a desk is opened with.
#[derive(Debug)]
pub struct Opening {
    pub writer: Writer,
    pub lifecycle: Lifecycle,
    pub networks: watch::Receiver<Arc<[Cidr]>>,
    pub is_insecure: bool,
    pub lease: LeaseRules,
}

impl Desk {
    /// With the end that sheets are shown on.
    pub fn open(opening: Opening) -> (Self, watch::Sender<Arc<Sheet>>) {
        let Opening { writer, lifecycle, networks, is_insecure, lease } = opening;
        let picture = writer.picture();
        let memory = Memory::begin(&picture.facts, picture.made_at);
        let (show, sheets) = watch::channel(Arc::new(Sheet::first(picture)));
        let desk = Self {
            writer,
            lifecycle,
            directory: Arc::default(),
            memory,
            keeper: Keeper::default(),
            sheets,
            networks,
            is_insecure,
            places: Arc::new(Semaphore::new(HEARTBEATS_MAX)),
            started: Instant::now(),
            // Signals come more often than a lease needs; the registry is told of some of them.
            renew_every: lease.light() / 4,
        };
        (desk, show)
    }

    pub fn sheet(&self) -> Arc<Sheet> {
        self.sheets.borrow().clone()
    }

    /// The first sheet that includes what a command changed; where that takes too long, the newest one.
    pub async fn sheet_of(&self, serial: Serial) -> Arc<Sheet> {
        let mut sheets = self.sheets.clone();
        let shown = sheets.wait_for(|sheet| sheet.picture.serial >= serial);
        match tokio::time::timeout(SHOWN_WITHIN, shown).await {
            Ok(Ok(sheet)) => Arc::clone(&sheet),
            Ok(Err(_)) | Err(_) => self.sheet(),
        }
    }

    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Renews the lease of an agent that was heard, without waiting for anything.
    pub fn heard(&self, entry: &Entry) {
        let every = u64::try_from(self.renew_every.as_millis()).unwrap_or(u64::MAX);
        if entry.is_due(self.now_ms(), every) {
            let renewal = Command::Light { stream: StreamId::DIRECT, node: entry.node.clone(), tally: None };
            if !self.writer.tell(renewal) {
                entry.not_renewed();
            }
        }
    }
}
