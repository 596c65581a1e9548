//! The catalog: everything an agent may use as one server, and what all its clients share.
//!
//! In: the world, events, settings, who calls. Out: a [`Catalog`] that runs until it is stopped.
//! Invariant: what runs for a session ends with it; what runs for all ends when the proxy does.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use outrigger_model::identity::{Party, SpiffeId};
use outrigger_model::name::AgentName;
use outrigger_proxy_core::mcp::facts::Caller;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::aim::{Tasks, request_id};
use super::line::{Identity, Line};
use super::lines::Lines;
use super::listing::Kind;
use super::message::{METHOD_NOT_FOUND, Message};
use super::mirror::Mirror;
use super::object::{Object, Raw, as_text, raw};
use super::pipe::Pipes;
use super::session::{Asked, Session, identity};
use super::sessions::Sessions;
use crate::config::settings::Aggregate;
use crate::lifecycle::Stop;
use crate::snapshot::worlds::Worlds;
use crate::telemetry::Events;

const SWEEP: Duration = Duration::from_secs(30);
/// Messages of targets that wait to be looked at.
const INBOX_MAX: usize = 64;

/// All of it; shared behind an `Arc`.
pub struct Catalog {
    pub pipes: Pipes,
    pub settings: Aggregate,
    pub mirror: Arc<Mirror>,
    pub tasks: Tasks,
    /// Sessions with legacy targets on behalf of clients that have none themselves.
    pub shared: Lines,
    pub sessions: Sessions,
    caller: Caller,
    worlds: Arc<Worlds>,
    events: Arc<Events>,
    /// Sessions that are ending.
    endings: TaskTracker,
    far_ends: Mutex<Option<mpsc::Receiver<DuplexStream>>>,
    said: Mutex<Option<mpsc::Receiver<(AgentName, Message)>>>,
}

impl Catalog {
    pub fn new(worlds: Arc<Worlds>, events: Arc<Events>, settings: Aggregate, caller: &Caller) -> Self {
        let (pipes, far_ends) = Pipes::new();
        let (inbox, said) = mpsc::channel(INBOX_MAX);
        let own = own(caller);
        let mirror = Mirror::new(pipes.clone(), settings, Arc::clone(&worlds), Arc::clone(&events), own);
        Self {
            settings,
            mirror: Arc::new(mirror),
            tasks: Tasks::default(),
            shared: Lines::new(pipes.clone(), Identity::own(), inbox),
            pipes,
            sessions: Sessions::default(),
            caller: caller.clone(),
            worlds,
            events,
            endings: TaskTracker::new(),
            far_ends: Mutex::new(Some(far_ends)),
            said: Mutex::new(Some(said)),
        }
    }

    /// Who its calls are by, as are all of the own agents.
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Where the calls of this room come out, for the gateway to serve; once.
    pub fn far_ends(&self) -> Option<mpsc::Receiver<DuplexStream>> {
        self.far_ends.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps the lists, and ends idle sessions, until it is stopped.
    pub async fn run(self: Arc<Self>, stop: Stop) {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mirror = Arc::clone(&self.mirror).run(stop.clone());
        let rest = async {
            let Some(mut said) = said else { return };
            let mut sweep = tokio::time::interval(SWEEP);
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    Some((agent, message)) = said.recv() => self.hear(&agent, message).await,
                    _ = sweep.tick() => self.sweep(),
                }
            }
        };
        tokio::join!(mirror, rest);
        // The gateway takes no calls any more, so targets are not told; their own time limits will do.
        self.sessions.sweep(Duration::ZERO, Instant::now()).into_iter().for_each(|session| self.end(session));
        self.endings.close();
        self.endings.wait().await;
    }

    /// A new session; its id. None if there is no secure chance.
    pub fn open(self: &Arc<Self>, caller: &Caller, revision: String, params: &Object) -> Option<String> {
        let (inbox, said) = mpsc::channel(INBOX_MAX);
        let lines = Lines::new(self.pipes.clone(), identity(params), inbox);
        let session = Arc::new(Session::new(caller.clone(), revision, lines));
        let pump = tokio::spawn(Arc::clone(self).pump(Arc::downgrade(&session), said));
        session.keep(AbortOnDropHandle::new(pump));
        let (id, gone) = self.sessions.add(session, Instant::now())?;
        gone.into_iter().for_each(|session| self.end(session));
        self.events.catalog_sessions_held(self.sessions.count());
        Some(id)
    }

    /// Ends a session in the background: its client does not wait for the targets.
    pub fn end(&self, session: Arc<Session>) {
        self.events.catalog_sessions_held(self.sessions.count());
        self.endings.spawn(session.end());
    }

    /// Ends lines that nobody uses any more, in the background.
    pub fn end_lines(&self, lines: Arc<Lines>) {
        // Outside a runtime everything ends anyway.
        if tokio::runtime::Handle::try_current().is_ok() {
            self.endings.spawn(async move { lines.end().await });
        }
    }

    /// What a target said in a session, as its client is to hear it.
    pub async fn to_client(&self, session: &Session, line: &Line, message: Message) -> Option<Message> {
        match message {
            Message::Request { id, method, params } => {
                let asked = Asked::Target { agent: line.agent.clone(), id: id.clone() };
                let message = session.ask(asked, method, params);
                if message.is_none() {
                    self.refuse_request(line, id).await;
                }
                message
            }
            Message::Notice { method, params } => self.notice(session, &line.agent, method, params),
            Message::Answer { .. } => None,
        }
    }

    /// Answers a target's request that no client can be asked.
    pub async fn refuse_request(&self, line: &Line, id: Raw) {
        self.events.catalog_request_refused();
        let no = Message::error(Some(id), METHOD_NOT_FOUND, "the client behind this proxy cannot be asked");
        // A target that does not take it will wait as long as it wants to.
        let _ = line.tell(&no).await;
    }

    pub fn message_dropped(&self) {
        self.events.catalog_message_dropped();
    }

    fn notice(&self, session: &Session, agent: &AgentName, method: String, params: Option<Raw>) -> Option<Message> {
        match method.as_str() {
            // Told once, when the merged list has changed.
            method if method.ends_with("/list_changed") => {
                self.mirror.look_again(agent);
                None
            }
            "notifications/cancelled" => {
                let id = session.asked_as(agent, request_id(params.as_ref())?.get())?;
                session.answered(&id);
                let params = Object::read(params.as_ref()?)?.with("requestId", &id);
                Some(Message::notice(&method, Some(params)))
            }
            _ => Some(Message::Notice { method, params }),
        }
    }

    /// Carries what targets say by themselves, and changes of lists, to one client.
    async fn pump(self: Arc<Self>, session: Weak<Session>, mut said: mpsc::Receiver<(AgentName, Message)>) {
        let mut views = self.mirror.views();
        let mut told = self.mirror.view();
        loop {
            tokio::select! {
                heard = said.recv() => {
                    let (Some((agent, message)), Some(session)) = (heard, session.upgrade()) else { return };
                    let Some(line) = session.lines.opened_to(&agent) else { continue };
                    if let Some(message) = self.to_client(&session, &line, message).await {
                        self.push(&session, &line, message).await;
                    }
                }
                changed = views.changed() => {
                    let (Ok(()), Some(session)) = (changed, session.upgrade()) else { return };
                    let view = Arc::clone(&views.borrow_and_update());
                    for list in told.changes(&view) {
                        let method = format!("notifications/{list}/list_changed");
                        if !session.push(Message::notice(&method, None)) {
                            self.message_dropped();
                        }
                    }
                    told = view;
                }
            }
        }
    }

    /// What the client does not take is given back where someone waits for it.
    async fn push(&self, session: &Session, line: &Line, message: Message) {
        let asked = match &message {
            Message::Request { id, .. } => as_text(id),
            _ => None,
        };
        if session.push(message) {
            return;
        }
        self.message_dropped();
        if let Some(Asked::Target { id, .. }) = asked.and_then(|id| session.answered(&id)) {
            self.refuse_request(line, id).await;
        }
    }

    /// What legacy targets say by themselves in a session of ours: nobody is there to be asked.
    async fn hear(&self, agent: &AgentName, message: Message) {
        match message {
            Message::Request { id, .. } => {
                if let Some(line) = self.shared.opened_to(agent) {
                    self.refuse_request(&line, id).await;
                }
            }
            Message::Notice { method, .. } if method.ends_with("/list_changed") => self.mirror.look_again(agent),
            Message::Notice { .. } | Message::Answer { .. } => {}
        }
    }

    fn sweep(&self) {
        let idle = self.worlds.current().settings().session_idle;
        self.sessions.sweep(idle, Instant::now()).into_iter().for_each(|session| self.end(session));
    }

    /// For operators: every target, and what is known of it.
    pub fn dump(&self) -> Object {
        let view = self.mirror.view();
        let now = tokio::time::Instant::now();
        let milliseconds = |since: tokio::time::Instant| {
            u64::try_from(now.saturating_duration_since(since).as_millis()).unwrap_or(u64::MAX)
        };
        let targets = view.targets.iter().map(|(agent, known)| {
            let listing = known.listing.as_ref();
            let count = |kind| listing.map_or(0, |listing| listing.list(kind).len());
            let trouble = known.trouble.as_ref().map(|trouble| {
                Object::default().with("reason", &trouble.text).with("for_ms", &milliseconds(trouble.since))
            });
            Object::default()
                .with("agent", &agent.as_str())
                .with("revision", &listing.map(|listing| listing.revision.clone()))
                .with("read_ms_ago", &known.read_at.map(milliseconds))
                .with("trouble", &trouble)
                .with("tools", &count(Kind::Tools))
                .with("prompts", &count(Kind::Prompts))
                .with("resources", &count(Kind::Resources))
                .with("resource_templates", &count(Kind::Templates))
        });
        let targets: Vec<Raw> = targets.map(|target| raw(&target)).collect();
        Object::default().with("sessions", &self.sessions.count()).with("targets", &targets)
    }
}

/// The agent that calls here does not call itself.
fn own(caller: &Caller) -> Option<AgentName> {
    match caller.as_str().parse::<SpiffeId>() {
        Ok(id) => match id.party {
            Party::Agent(name) => Some(name),
            Party::Node(_) | Party::Operator(_) | Party::Control => None,
        },
        Err(_) => AgentName::new(caller.as_str()).ok(),
    }
}
