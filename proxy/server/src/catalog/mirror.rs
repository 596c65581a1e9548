//! Keeps the lists of all targets, in the background.
//!
//! In: the world, and what targets say. Out: one [`View`] after the other.
//! Nobody is asked before a client asks us, nor long after the last one did: where agents are many, so are their proxies, and each would ask all.
//! Why in the background: no caller waits for a target but for the one it calls. Each has a task and a deadline of its own; what fails
//! keeps its last good list and is visible as trouble.
//! Invariant: a target in trouble changes neither the lists of others nor how fast they are told.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::OptionFuture;
use outrigger_model::digest::Digest;
use outrigger_model::name::AgentName;
use outrigger_model::revision::Era;
use outrigger_proxy_core::world::table::World;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, warn};

use super::line::{Identity, Line, LineError};
use super::listing::{Listing, listing};
use super::message::{METHOD_NOT_FOUND, Message};
use super::object::Object;
use super::pipe::{Pipes, Reply};
use super::view::{Known, Trouble, View};
use crate::config::settings::Aggregate;
use crate::lifecycle::Stop;
use crate::snapshot::worlds::Worlds;
use crate::telemetry::Events;

/// Changes that come this close together are told as one.
const QUIET: Duration = Duration::from_millis(50);
/// How long a target may think about `server/discover`; some old servers never answer what they do not know.
const DISCOVER_DEADLINE: Duration = Duration::from_secs(2);
/// How long the very first question to us waits for the targets.
const FIRST_WAIT: Duration = Duration::from_secs(3);
/// How long the lists are kept fresh after the last question.
const REST_AFTER: Duration = Duration::from_secs(600);
/// However short-lived a target says that its lists are.
const BETWEEN_MIN: Duration = Duration::from_secs(1);
/// How long a session of ours may take to end; nothing waits for its success.
const END_DEADLINE: Duration = Duration::from_secs(1);
/// The first pause after a failure; it doubles up to the time between two refreshes.
const AGAIN: Duration = Duration::from_millis(500);

/// The lists, and who keeps them fresh.
pub struct Mirror {
    pipes: Pipes,
    settings: Aggregate,
    worlds: Arc<Worlds>,
    events: Arc<Events>,
    /// The agents behind this proxy do not see themselves.
    own: Option<AgentName>,
    known: Mutex<BTreeMap<AgentName, Arc<Known>>>,
    /// By target: look again now.
    bells: Mutex<HashMap<AgentName, Arc<Notify>>>,
    changed: Notify,
    view: watch::Sender<Arc<View>>,
    /// When a client asked last.
    wanted: Mutex<Option<Instant>>,
    woken: Notify,
}

/// One target that is followed.
struct Followed {
    /// What the world says of it.
    mark: Digest,
    _task: AbortOnDropHandle<()>,
}

impl Mirror {
    pub fn new(
        pipes: Pipes,
        settings: Aggregate,
        worlds: Arc<Worlds>,
        events: Arc<Events>,
        own: Option<AgentName>,
    ) -> Self {
        Self {
            pipes,
            settings,
            worlds,
            events,
            own,
            known: Mutex::default(),
            bells: Mutex::default(),
            changed: Notify::new(),
            view: watch::Sender::new(Arc::new(View::default())),
            wanted: Mutex::default(),
            woken: Notify::new(),
        }
    }

    /// A client asks: the lists are kept from now on.
    pub fn want(&self) {
        let before = self.wanted.lock().unwrap_or_else(PoisonError::into_inner).replace(Instant::now());
        if before.is_none() {
            self.woken.notify_one();
        }
    }

    /// When nobody has wanted the lists for long enough; none if nobody does. Who hears of changes wants them.
    fn rests_at(&self) -> Option<Instant> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let rests_at = (*wanted)? + REST_AFTER;
        if rests_at > now {
            return Some(rests_at);
        }
        if self.view.receiver_count() > 0 {
            return Some(now + REST_AFTER);
        }
        *wanted = None;
        None
    }

    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.borrow())
    }

    pub fn views(&self) -> watch::Receiver<Arc<View>> {
        self.view.subscribe()
    }

    /// The view, once all targets were asked for the first time; never long.
    pub async fn first_view(&self) -> Arc<View> {
        let mut views = self.views();
        // A sender that is gone cannot be: it is ours.
        let _ = timeout(FIRST_WAIT, views.wait_for(|view| view.complete)).await;
        self.view()
    }

    /// Follows the world until it is stopped.
    pub async fn run(self: Arc<Self>, stop: Stop) {
        let mut followed: HashMap<AgentName, Followed> = HashMap::new();
        let mut changes = self.worlds.changes();
        loop {
            let Some(rests_at) = self.rests_at() else {
                followed.clear();
                self.rest();
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.woken.notified() => continue,
                }
            };
            changes.mark_unchanged();
            self.follow_world(&mut followed, &self.worlds.current());
            self.publish();
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep_until(rests_at) => {}
                // The sender lives as long as we do.
                _ = changes.changed() => {}
                () = self.changed.notified() => sleep(QUIET).await,
            }
        }
    }

    /// Forgets the lists: they would be old when someone asks again.
    fn rest(&self) {
        self.known().clear();
        self.bells().clear();
        self.events.catalog_viewed(0, 0);
        self.view.send_replace(Arc::default());
    }

    fn follow_world(self: &Arc<Self>, followed: &mut HashMap<AgentName, Followed>, world: &World) {
        let targets: BTreeMap<AgentName, Digest> = world
            .agents()
            .filter(|(name, _)| Some(*name) != self.own.as_ref())
            .map(|(name, route)| (name.clone(), mark(route)))
            .collect();
        followed.retain(|name, _| targets.contains_key(name));
        self.known().retain(|name, _| targets.contains_key(name));
        self.bells().retain(|name, _| targets.contains_key(name));
        for (name, mark) in targets {
            if let Some(held) = followed.get_mut(&name) {
                if held.mark != mark {
                    held.mark = mark;
                    self.look_again(&name);
                }
                continue;
            }
            self.known().insert(name.clone(), Arc::default());
            let bell = Arc::new(Notify::new());
            self.bells().insert(name.clone(), Arc::clone(&bell));
            let task = tokio::spawn(Arc::clone(self).follow(name.clone(), bell));
            followed.insert(name, Followed { mark, _task: AbortOnDropHandle::new(task) });
        }
    }

    fn publish(&self) {
        let known = self.known().clone();
        let asked = known.values().all(|known| known.listing.is_some() || known.trouble.is_some());
        // Before the first world there is nobody to ask, and an empty list would be wrong.
        let settled = !known.is_empty() || self.worlds.current().serial().is_some();
        let complete = self.view().complete || (asked && settled);
        let view = View::of(known, self.settings.refresh, complete);
        self.events.catalog_viewed(view.targets.len(), view.troubled().count());
        self.view.send_replace(Arc::new(view));
    }

    /// Asks one target again and again, for as long as it is one.
    async fn follow(self: Arc<Self>, agent: AgentName, bell: Arc<Notify>) {
        let mut talk = Talk { pipes: self.pipes.clone(), agent: agent.clone(), line: None, ear: None };
        let mut failures = 0u32;
        loop {
            let read = timeout(self.settings.deadline, talk.refresh()).await.unwrap_or(Err(LineError::Late));
            self.events.catalog_refreshed(read.is_ok());
            let pause = match read {
                Ok(listing) => {
                    failures = 0;
                    let told = listing.ttl.filter(|ttl| !ttl.is_zero()).unwrap_or(self.settings.refresh);
                    self.learn(&agent, Ok(listing));
                    told.max(BETWEEN_MIN).min(self.settings.refresh)
                }
                Err(error) => {
                    debug!(%agent, error = &error as &dyn std::error::Error, "an agent's lists could not be read");
                    talk.end().await;
                    self.learn(&agent, Err(error.to_string()));
                    failures = (failures + 1).min(8);
                    (AGAIN * 2u32.pow(failures - 1)).min(self.settings.refresh)
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = bell.notified() => sleep(QUIET).await,
                () = talk.hears_of_change() => sleep(QUIET).await,
            }
        }
    }

    fn learn(&self, agent: &AgentName, read: Result<Listing, String>) {
        let now = Instant::now();
        let mut known = self.known();
        let Some(held) = known.get_mut(agent) else { return };
        *held = Arc::new(match read {
            Ok(listing) => Known { listing: Some(Arc::new(listing)), read_at: Some(now), trouble: None },
            Err(text) => {
                let since = held.trouble.as_ref().map_or(now, |trouble| trouble.since);
                if held.trouble.is_none() {
                    warn!(%agent, reason = text, "an agent's lists are stale until it answers again");
                }
                Known { trouble: Some(Trouble { since, text }), ..Known::clone(held) }
            }
        });
        drop(known);
        self.changed.notify_one();
    }

    /// A target's lists may have changed.
    pub fn look_again(&self, agent: &AgentName) {
        if let Some(bell) = self.bells().get(agent) {
            bell.notify_one();
        }
    }

    fn bells(&self) -> MutexGuard<'_, HashMap<AgentName, Arc<Notify>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<AgentName, Arc<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What of the world a target's lists may depend on: which copies of it there are.
fn mark(route: &outrigger_proxy_core::world::endpoint::Route) -> Digest {
    let copies = route.pool.endpoints.iter();
    let texts: Vec<String> = copies.map(|copy| format!("{} {}", copy.replica, copy.generation.0)).collect();
    Digest::of_parts(texts.iter().map(String::as_bytes))
}

/// The conversation with one target.
struct Talk {
    pipes: Pipes,
    agent: AgentName,
    line: Option<(Line, Object)>,
    /// The stream on which it says that its lists changed.
    ear: Option<Reply>,
}

impl Talk {
    async fn refresh(&mut self) -> Result<Listing, LineError> {
        if self.line.as_ref().is_none_or(|(line, _)| line.is_lost()) {
            (self.ear, self.line) = (None, None);
            self.line = Some(self.open().await?);
        }
        let Some((line, opening)) = &self.line else { return Err(LineError::Unknown) };
        let listing = match listing(line, opening).await {
            Err(LineError::SessionLost) => {
                let (line, opening) = self.open().await?;
                let listing = listing(&line, &opening).await?;
                self.ear = None;
                self.line = Some((line, opening));
                listing
            }
            other => other?,
        };
        if self.ear.is_none() && listing.tells_changes() {
            self.ear = self.listen().await;
        }
        Ok(listing)
    }

    async fn open(&self) -> Result<(Line, Object), LineError> {
        let identity = Identity::reader();
        // Some servers drop the connection on what they do not know; whether the agent is there shows in `initialize`.
        if let Ok(Ok(Some(found))) =
            timeout(DISCOVER_DEADLINE, Line::discover(&self.pipes, &self.agent, &identity)).await
        {
            return Ok(found);
        }
        Line::initialize(&self.pipes, &self.agent, &identity).await
    }

    async fn listen(&self) -> Option<Reply> {
        let (line, _) = self.line.as_ref()?;
        if line.era == Era::Legacy {
            return line.listen(None).await.ok();
        }
        let wanted = Object::default()
            .with("toolsListChanged", &true)
            .with("promptsListChanged", &true)
            .with("resourcesListChanged", &true);
        let params = Object::default().with("notifications", &wanted);
        let exchange = line.call("subscriptions/listen", params, Vec::new()).await.ok()?;
        exchange.reply.status.is_success().then_some(exchange.reply)
    }

    /// Ends when the target says that a list changed; never if it says nothing.
    async fn hears_of_change(&mut self) {
        loop {
            let next = OptionFuture::from(self.ear.as_mut().map(Reply::next)).await;
            match next {
                Some(Ok(Some(Message::Notice { method, .. }))) if method.ends_with("/list_changed") => return,
                Some(Ok(Some(Message::Request { id, .. }))) => {
                    if let Some((line, _)) = &self.line {
                        let no = Message::error(Some(id), METHOD_NOT_FOUND, "only lists are read here");
                        // A target that does not take it will wait as long as it wants to.
                        let _ = timeout(END_DEADLINE, line.tell(&no)).await;
                    }
                }
                Some(Ok(Some(_))) => {}
                Some(Ok(None) | Err(_)) => self.ear = None,
                None => std::future::pending().await,
            }
        }
    }

    /// Gives the line up.
    async fn end(&mut self) {
        self.ear = None;
        if let Some((line, _)) = self.line.take() {
            // The target is in trouble; if it does not hear of the end, its own time limit will do.
            let _ = timeout(END_DEADLINE, line.end()).await;
        }
    }
}

#[cfg(test)]
mod tests;
