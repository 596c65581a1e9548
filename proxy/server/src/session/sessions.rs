//! What calls ask about sessions: memory first, the shared store behind it.
//!
//! In: keys to look up, lessons from answers. Out: bindings.
//! Never here: whether a binding may be followed; that is the core's.
//! Invariant: a call waits for the shared store only for a session that is unknown here or that has just begun, and then for one
//! bounded request. Everything else is written behind the calls, through a queue that drops rather than grows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_proxy_core::session::bind::{Binding, Lesson, is_due};
use outrigger_proxy_core::session::key::SessionKey;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::behind::{Behind, Due, Write};
use super::memory::Memory;
use super::store::{Store, StoreError};
use crate::telemetry::{Events, Lookup, StoreFault, StoreKind};

const WRITES_WAITING_MAX: usize = 1_024;

pub struct Sessions {
    memory: Arc<Memory>,
    shared: Option<Shared>,
    events: Arc<Events>,
}

struct Shared {
    behind: Behind,
    writes: mpsc::Sender<Write>,
    /// They end with this value.
    _tasks: JoinSet<()>,
}

impl Sessions {
    /// Must be called inside a tokio runtime if there is a shared store.
    pub fn new(entries_max: usize, shared: Option<Arc<dyn Store>>, events: Arc<Events>) -> Self {
        let memory = Arc::new(Memory::new(entries_max));
        let shared = shared.map(|store| {
            let (memory, due, events) = (Arc::clone(&memory), Arc::new(Due::default()), Arc::clone(&events));
            Shared::start(Behind { memory, store, due, events })
        });
        Self { memory, shared, events }
    }

    /// The binding of a session, if any store knows it.
    pub async fn find(&self, key: &SessionKey, idle: Duration) -> Option<Arc<Binding>> {
        if let Some(binding) = self.recall(key) {
            return Some(binding);
        }
        let Some(shared) = &self.shared else {
            self.events.session_looked_up(Lookup::Unknown);
            return None;
        };
        match shared.behind.store.get(key).await {
            Ok(Some(binding)) => {
                self.events.session_looked_up(Lookup::Shared);
                Some(self.memory.offer(*key, Arc::new(binding), kept(idle), Instant::now()))
            }
            Ok(None) => {
                self.events.session_looked_up(Lookup::Unknown);
                None
            }
            Err(error) => {
                self.events.redis_failed(error.fault());
                let late = matches!(error, StoreError::Late | StoreError::Away);
                self.events.session_looked_up(if late { Lookup::TimedOut } else { Lookup::Unknown });
                None
            }
        }
    }

    /// The binding of a session if it is known here; no store is asked.
    pub fn recall(&self, key: &SessionKey) -> Option<Arc<Binding>> {
        let known = self.memory.find(key, Instant::now());
        if known.is_some() {
            self.events.session_looked_up(Lookup::Memory);
        }
        known
    }

    /// Keeps a binding here only; what is known here from now on.
    pub fn remember(&self, key: SessionKey, binding: Binding, idle: Duration) -> Arc<Binding> {
        let held = self.memory.offer(key, Arc::new(binding), kept(idle), Instant::now());
        self.events.sessions_held(StoreKind::Memory, self.memory.count());
        held
    }

    /// The binding that counts, asked of the shared store although memory knows the session: it may have moved.
    pub async fn refresh(&self, key: &SessionKey, idle: Duration) -> Option<Arc<Binding>> {
        let held = self.memory.find(key, Instant::now());
        let Some(shared) = &self.shared else { return held };
        match shared.behind.store.get(key).await {
            Ok(Some(binding)) => Some(self.memory.offer(*key, Arc::new(binding), kept(idle), Instant::now())),
            Ok(None) => held,
            Err(error) => {
                self.events.redis_failed(error.fault());
                held
            }
        }
    }

    /// From now on the session is never opened again elsewhere. It counts as a move, so that no copy from before takes it back.
    pub fn pin(&self, key: SessionKey, binding: &Binding, idle: Duration) {
        let pinned = Binding { opening: None, moves: binding.moves.saturating_add(1), ..binding.clone() };
        let pinned = self.memory.offer(key, Arc::new(pinned), kept(idle), Instant::now());
        self.write_later(Write::Offer(key, pinned, kept(idle)));
        self.events.session_pinned();
    }

    /// Does what an answer taught. A new binding is in the shared store when this returns, if that store works.
    pub async fn obey(&self, lesson: Lesson, idle: Duration, unix: u64) {
        match lesson {
            Lesson::Nothing => {}
            Lesson::Learn(key, binding) => drop(self.claim(key, binding, idle).await),
            Lesson::Touch(key) => self.renew(key, idle, unix),
            Lesson::Forget(key) => self.forget(key),
        }
    }

    /// Offers a binding to every store; the one that counts from now on. The shared store has it when this returns, if it works.
    pub async fn claim(&self, key: SessionKey, binding: Binding, idle: Duration) -> Arc<Binding> {
        let held = self.remember(key, binding, idle);
        let Some(shared) = &self.shared else { return held };
        match shared.behind.store.offer(&key, &held, kept(idle)).await {
            Ok(shared) if shared == *held => held,
            // Somebody else was first.
            Ok(shared) => self.memory.adopt(key, Arc::new(shared), kept(idle), Instant::now()),
            Err(error) => {
                shared.behind.failed(&error);
                held
            }
        }
    }

    pub fn forget(&self, key: SessionKey) {
        // What is not known here may have moved any number of times.
        let moves = self.memory.drop_key(&key).unwrap_or(u32::MAX);
        self.events.sessions_held(StoreKind::Memory, self.memory.count());
        self.write_later(Write::Forget(key, moves));
    }

    /// What memory holds now, in no order.
    pub fn held(&self) -> Vec<(SessionKey, Arc<Binding>)> {
        self.memory.held(Instant::now())
    }

    /// What memory holds, each with the time that is left to it, for a process that takes over.
    pub fn carried(&self) -> Vec<(SessionKey, Arc<Binding>, Duration)> {
        self.memory.live(Instant::now()).collect()
    }

    /// Holds what a process held that ended, for as long as that one would have.
    pub fn carry(&self, key: SessionKey, binding: Binding, kept: Duration) {
        self.memory.offer(key, Arc::new(binding), kept, Instant::now());
        self.events.sessions_held(StoreKind::Memory, self.memory.count());
    }

    /// Whether other proxies see the same bindings.
    pub const fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    pub fn count(&self) -> usize {
        self.memory.count()
    }

    fn renew(&self, key: SessionKey, idle: Duration, unix: u64) {
        // Another call of the session may have noted it meanwhile.
        let due = |binding: &Arc<Binding>| is_due(binding.last_seen, idle, unix);
        let Some(binding) = self.memory.find(&key, Instant::now()).filter(due) else { return };
        let binding = Arc::new(Binding { last_seen: unix, ..Binding::clone(&binding) });
        let binding = self.memory.offer(key, binding, kept(idle), Instant::now());
        self.write_later(Write::Offer(key, binding, kept(idle)));
    }

    fn write_later(&self, write: Write) {
        if let Some(shared) = &self.shared
            && shared.writes.try_send(write).is_err()
        {
            self.events.redis_failed(StoreFault::Dropped);
            shared.behind.owes();
        }
    }
}

impl Shared {
    fn start(behind: Behind) -> Self {
        let (writes, waiting) = mpsc::channel(WRITES_WAITING_MAX);
        let mut tasks = JoinSet::new();
        tasks.spawn(behind.clone().write(waiting));
        if let Some(news) = behind.store.news() {
            tasks.spawn(behind.clone().follow(news));
        }
        tasks.spawn(behind.clone().write_back());
        Self { behind, writes, _tasks: tasks }
    }
}

/// A tenth longer than asked for, because use is noted at most once in a tenth of the time.
fn kept(idle: Duration) -> Duration {
    idle + idle / 10
}

#[cfg(test)]
mod tests;
