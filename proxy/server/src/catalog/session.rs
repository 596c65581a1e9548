//! A session of a legacy client, and what is under way in it.
//!
//! In: what the client declared. Out: ids for what targets ask of it, and the way back of its answers; a stream for what nobody asked for.
//! Invariant: an answer of the client reaches the target that asked and no other; everything that waits is bounded.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use outrigger_model::name::AgentName;
use outrigger_proxy_core::mcp::facts::Caller;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::lines::Lines;
use super::message::{Message, Outcome};
use super::object::{Object, Raw, raw};
use super::outlet::{Item, Outlet};

/// Requests of targets that wait for the client.
const ASKED_MAX: usize = 256;
/// Requests of the client that are under way.
const CALLS_MAX: usize = 1_024;
/// Messages that wait for the client to open a stream.
const WAITING_MAX: usize = 64;
const WATCHED_MAX: usize = 256;

/// One session.
pub struct Session {
    pub caller: Caller,
    pub revision: String,
    pub lines: Lines,
    inside: Mutex<Inside>,
}

struct Inside {
    seen: Instant,
    next: u64,
    /// By the id under which the client was asked.
    asked: HashMap<String, Asked>,
    /// By the client's own id.
    calls: HashMap<String, Call>,
    level: Option<Raw>,
    stream: Option<Outlet>,
    waiting: VecDeque<Message>,
    /// Resources of modern targets that the client watches.
    watched: HashMap<String, AbortOnDropHandle<()>>,
    work: Vec<AbortOnDropHandle<()>>,
}

/// Who waits for an answer of the client.
pub enum Asked {
    /// A legacy target, under its own id.
    Target { agent: AgentName, id: Raw },
    /// A call of ours that goes on with it.
    Call(oneshot::Sender<Outcome>),
}

/// A request of the client that is under way.
#[derive(Clone)]
pub struct Call {
    pub agent: AgentName,
    /// The id on the line.
    pub id: Raw,
    pub cancel: CancellationToken,
}

impl Session {
    pub fn new(caller: Caller, revision: String, lines: Lines) -> Self {
        let inside = Inside {
            seen: Instant::now(),
            next: 1,
            asked: HashMap::new(),
            calls: HashMap::new(),
            level: None,
            stream: None,
            waiting: VecDeque::new(),
            watched: HashMap::new(),
            work: Vec::new(),
        };
        Self { caller, revision, lines, inside: Mutex::new(inside) }
    }

    pub fn touch(&self, now: Instant) {
        self.inside().seen = now;
    }

    /// How long the client has said nothing and listened to nothing.
    pub fn idle(&self, now: Instant) -> Duration {
        let inside = self.inside();
        let listens = inside.stream.as_ref().is_some_and(Outlet::is_open) || !inside.calls.is_empty();
        if listens { Duration::ZERO } else { now.saturating_duration_since(inside.seen) }
    }

    /// Something that runs as long as the session.
    pub fn keep(&self, work: AbortOnDropHandle<()>) {
        self.inside().work.push(work);
    }

    /// The request of a target as the client sees it; none if too many wait already.
    pub fn ask(&self, asked: Asked, method: String, params: Option<Raw>) -> Option<Message> {
        let mut inside = self.inside();
        // A call that ended waits for nothing.
        inside.asked.retain(|_, asked| !matches!(asked, Asked::Call(waiting) if waiting.is_closed()));
        if inside.asked.len() >= ASKED_MAX {
            return None;
        }
        let id = format!("outrigger-{}", inside.next);
        inside.next += 1;
        inside.asked.insert(id.clone(), asked);
        Some(Message::Request { id: raw(&id), method, params })
    }

    /// Who waits for the answer to `id`.
    pub fn answered(&self, id: &str) -> Option<Asked> {
        self.inside().asked.remove(id)
    }

    /// The id under which the client knows a target's own request.
    pub fn asked_as(&self, agent: &AgentName, own: &str) -> Option<String> {
        let inside = self.inside();
        let mut all = inside.asked.iter();
        all.find(|(_, asked)| matches!(asked, Asked::Target { agent: of, id } if of == agent && id.get() == own))
            .map(|(id, _)| id.clone())
    }

    /// Notes a call of the client; whether there is room for it.
    pub fn begin(&self, id: &Raw, call: Call) -> bool {
        let mut inside = self.inside();
        if inside.calls.len() >= CALLS_MAX {
            return false;
        }
        inside.calls.insert(id.get().to_owned(), call);
        true
    }

    pub fn call(&self, id: &str) -> Option<Call> {
        self.inside().calls.get(id).cloned()
    }

    pub fn finish(&self, id: &Raw) {
        self.inside().calls.remove(id.get());
    }

    pub fn level(&self) -> Option<Raw> {
        self.inside().level.clone()
    }

    pub fn set_level(&self, params: Raw) {
        self.inside().level = Some(params);
    }

    /// Watches a resource until told otherwise; whether there is room for it.
    pub fn watch(&self, uri: &str, work: AbortOnDropHandle<()>) -> bool {
        let mut inside = self.inside();
        let room = inside.watched.len() < WATCHED_MAX;
        if room {
            inside.watched.insert(uri.to_owned(), work);
        }
        room
    }

    pub fn unwatch(&self, uri: &str) {
        self.inside().watched.remove(uri);
    }

    /// Opens the stream for what nobody asked for; the one before ends. Each message goes to one stream.
    pub fn open_stream(&self) -> mpsc::Receiver<Item> {
        let (outlet, items) = Outlet::wide();
        let mut inside = self.inside();
        for message in std::mem::take(&mut inside.waiting) {
            outlet.offer(&message);
        }
        inside.stream = Some(outlet);
        items
    }

    /// Whether the client listens, or the message waits for it; a full queue takes no more.
    pub fn push(&self, message: Message) -> bool {
        let mut inside = self.inside();
        if let Some(stream) = inside.stream.as_ref().filter(|stream| stream.is_open()) {
            return stream.offer(&message);
        }
        let room = inside.waiting.len() < WAITING_MAX;
        if room {
            inside.waiting.push_back(message);
        }
        room
    }

    /// Gives up everything that runs in it.
    pub async fn end(self: Arc<Self>) {
        let (work, watched, stream) = {
            let mut inside = self.inside();
            (std::mem::take(&mut inside.work), std::mem::take(&mut inside.watched), inside.stream.take())
        };
        drop((work, watched, stream));
        self.lines.end().await;
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who a legacy client says it is.
pub fn identity(params: &Object) -> super::line::Identity {
    let own = super::line::Identity::own();
    super::line::Identity {
        info: params.get("clientInfo").map_or(own.info, ToOwned::to_owned),
        capabilities: params.get("capabilities").map_or(own.capabilities, ToOwned::to_owned),
    }
}
