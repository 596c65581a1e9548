//! Watching resources and lists across the eras.
//!
//! In: `subscriptions/listen` of a modern client; `resources/subscribe` of a legacy one for a resource of a modern target.
//! Out: what changed, told in the client's own way.
//! Source: 2026-07-28 `basic/patterns/subscriptions`: acknowledged first, every notice tagged with the id of the request.
//! Invariant: what is acknowledged is watched; what nobody watches any more is given up at its target.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use outrigger_model::name::AgentName;
use outrigger_model::revision::Era;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::aim::Aim;
use super::calls::failure;
use super::line::{Identity, Line, LineError, META};
use super::lines::{Inbox, Lines};
use super::message::{INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND, Message, Outcome, code_of};
use super::object::{Object, Raw, as_text, raw};
use super::outlet::{Gone, Outlet};
use super::pauses::Pauses;
use super::session::Session;
use super::state::Catalog;

const META_SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
const INBOX_MAX: usize = 64;
/// Most resources and tasks of one stream.
const WATCHED_MAX: usize = 256;

/// Whether a legacy client asks for what its target has in the modern form only.
pub fn is_ours(catalog: &Catalog, method: &str, aim: &Aim) -> bool {
    let subscribes = matches!(method, "resources/subscribe" | "resources/unsubscribe");
    subscribes && era(catalog, &aim.agent) == Some(Era::Modern)
}

/// Watches a modern target's resource for a legacy session, or stops to.
pub fn watch(catalog: &Arc<Catalog>, session: &Arc<Session>, id: Raw, method: &str, aim: Aim) -> Message {
    let uri = aim.params.text("uri").unwrap_or_default();
    if method == "resources/unsubscribe" {
        session.unwatch(&uri);
        return Message::result(id, &Object::default());
    }
    let (inbox, mut heard) = mpsc::channel(INBOX_MAX);
    let (watching, catalog) = (Arc::downgrade(session), Arc::clone(catalog));
    let wanted = Object::default().with("resourceSubscriptions", &[&uri]);
    let work = tokio::spawn(async move {
        let source = source(&catalog, &aim.agent, wanted, inbox);
        let told = async {
            while let Some((_, message)) = heard.recv().await {
                let (Some(session), Some(message)) = (watching.upgrade(), updated(message, None)) else { continue };
                if !session.push(message) {
                    catalog.message_dropped();
                }
            }
        };
        let _ = tokio::join!(source, told);
    });
    if session.watch(&uri, AbortOnDropHandle::new(work)) {
        Message::result(id, &Object::default())
    } else {
        Message::error(Some(id), INTERNAL_ERROR, "too many resources are watched in this session")
    }
}

/// What a modern client wants to hear of.
struct Wanted {
    lists: Vec<&'static str>,
    /// By who answers for them: resources and tasks.
    owners: BTreeMap<AgentName, (Vec<String>, Vec<String>)>,
}

/// Lines that end when nobody listens any more.
struct Ending<'a>(&'a Catalog, Arc<Lines>);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end_lines(Arc::clone(&self.1));
    }
}

/// Serves `subscriptions/listen` until the client leaves.
pub async fn listen(catalog: &Arc<Catalog>, id: Raw, params: &Object, outlet: &Outlet) {
    let wanted = params.object("notifications").unwrap_or_default();
    let mut views = catalog.mirror.views();
    let mut told = catalog.mirror.first_view().await;
    views.mark_unchanged();
    let wanted = Wanted::read(catalog, &wanted);
    let (inbox, mut heard) = mpsc::channel(INBOX_MAX);
    let lines = Arc::new(Lines::new(catalog.pipes.clone(), Identity::own(), inbox.clone()));
    let _ending = Ending(catalog, Arc::clone(&lines));
    let mut sources = JoinSet::new();
    for (agent, (uris, tasks)) in &wanted.owners {
        if let Err(error) = subscribe(catalog, &lines, agent, (uris, tasks), &inbox, &mut sources).await {
            let (status, message) = failure(id, agent, &error);
            // A client that left hears nothing more.
            let _ = outlet.end(status, &message).await;
            return;
        }
    }
    let acknowledged = Object::default().with("notifications", &wanted.accepted());
    if outlet.event(&tagged(ACKNOWLEDGED, acknowledged, &id)).await.is_err() {
        return;
    }
    loop {
        let sent: Result<(), Gone> = tokio::select! {
            Some((_, message)) = heard.recv() => match updated(message, Some(&id)) {
                Some(message) => outlet.event(&message).await,
                None => Ok(()),
            },
            Ok(()) = views.changed() => {
                let view = Arc::clone(&views.borrow_and_update());
                let changes = std::mem::replace(&mut told, Arc::clone(&view)).changes(&view);
                let mut sent = Ok(());
                for list in wanted.lists.iter().filter(|list| changes.contains(*list)) {
                    let method = format!("notifications/{list}/list_changed");
                    sent = outlet.event(&tagged(&method, Object::default(), &id)).await;
                }
                sent
            },
            // One of them will never be heard again; the client is not left to believe that it will.
            Some(_) = sources.join_next() => {
                let _ = outlet.end(StatusCode::OK, &over(&id)).await;
                return;
            }
            () = outlet.closed() => return,
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Watches what one target answers for; `sources` holds the work that has to go on for it.
async fn subscribe(
    catalog: &Arc<Catalog>,
    lines: &Lines,
    agent: &AgentName,
    (uris, tasks): (&[String], &[String]),
    inbox: &Inbox,
    sources: &mut JoinSet<()>,
) -> Result<(), LineError> {
    if era(catalog, agent) == Some(Era::Modern) {
        let mut wanted = Object::default();
        if !uris.is_empty() {
            wanted.set("resourceSubscriptions", raw(&uris));
        }
        if !tasks.is_empty() {
            wanted.set("taskIds", raw(&tasks));
        }
        let (catalog, agent, inbox) = (Arc::clone(catalog), agent.clone(), inbox.clone());
        sources.spawn(async move { source(&catalog, &agent, wanted, inbox).await });
        return Ok(());
    }
    let (line, _) = lines.line(&catalog.mirror.view(), agent).await?;
    for uri in uris {
        line.ask("resources/subscribe", Object::default().with("uri", uri)).await?;
    }
    Ok(())
}

/// Hands on what a modern target says on streams of its own, one after the other. Ends when nobody wants it, or it will never say more.
async fn source(catalog: &Catalog, agent: &AgentName, wanted: Object, inbox: Inbox) {
    let mut pauses = Pauses::default();
    loop {
        if era(catalog, agent) == Some(Era::Legacy) {
            return;
        }
        let begun = Instant::now();
        match hear(catalog, agent, &wanted, &inbox, pauses.any()).await {
            Heard::Ended => pauses.after(begun.elapsed()).await,
            Heard::Refused | Heard::Unwanted => return,
        }
    }
}

/// How one stream of a target went.
enum Heard {
    /// It broke off, or the target is not there: it is worth another try.
    Ended,
    /// The target does not know, or does not want, what it was asked for.
    Refused,
    Unwanted,
}

async fn hear(catalog: &Catalog, agent: &AgentName, wanted: &Object, inbox: &Inbox, again: bool) -> Heard {
    let line = Line::modern(&catalog.pipes, agent, &Identity::own(), &revision(catalog, agent));
    let params = Object::default().with("notifications", wanted);
    let Ok(mut exchange) = line.call("subscriptions/listen", params, Vec::new()).await else { return Heard::Ended };
    while let Ok(Some(message)) = exchange.next().await {
        let heard = match message {
            Message::Notice { method, .. } if method == ACKNOWLEDGED && again => missed(wanted),
            Message::Answer { outcome: Outcome::Error(error), .. } => {
                let never = matches!(code_of(&error), Some(METHOD_NOT_FOUND | INVALID_PARAMS));
                return if never { Heard::Refused } else { Heard::Ended };
            }
            message => vec![message],
        };
        for message in heard {
            if inbox.send((agent.clone(), message)).await.is_err() {
                return Heard::Unwanted;
            }
        }
    }
    Heard::Ended
}

/// What may have happened while nobody listened: each resource may be another by now.
fn missed(wanted: &Object) -> Vec<Message> {
    let uris = wanted.items("resourceSubscriptions");
    let told = |uri: &Raw| Message::notice("notifications/resources/updated", Some(Object::default().with("uri", uri)));
    uris.iter().map(told).collect()
}

/// A notice about a resource or a task, tagged for a modern client and untagged for a legacy one.
fn updated(message: Message, subscription: Option<&Raw>) -> Option<Message> {
    let Message::Notice { method, params } = message else { return None };
    if method != "notifications/resources/updated" && !method.starts_with("notifications/tasks") {
        return None;
    }
    let mut params = params.as_deref().and_then(Object::read).unwrap_or_default();
    if let Some(id) = subscription {
        return Some(tagged(&method, params, id));
    }
    params.remove(META);
    Some(Message::notice(&method, Some(params)))
}

/// 2026-07-28 `SubscriptionsListenResult`: the stream ends, and not because something broke.
pub fn over(id: &Raw) -> Message {
    let meta = Object::default().with(META_SUBSCRIPTION, &id);
    Message::result(id.clone(), &Object::default().with("resultType", &"complete").with(META, &meta))
}

fn tagged(method: &str, mut params: Object, id: &Raw) -> Message {
    let mut meta = params.object(META).unwrap_or_default();
    meta.set(META_SUBSCRIPTION, id.clone());
    params.set(META, meta.raw());
    Message::notice(method, Some(params))
}

fn era(catalog: &Catalog, agent: &AgentName) -> Option<Era> {
    let view = catalog.mirror.view();
    view.targets.get(agent)?.listing.as_ref().map(|listing| listing.era)
}

fn revision(catalog: &Catalog, agent: &AgentName) -> String {
    let view = catalog.mirror.view();
    let listing = view.targets.get(agent).and_then(|known| known.listing.as_ref());
    listing.map(|listing| listing.revision.clone()).unwrap_or_default()
}

impl Wanted {
    /// What nobody answers for is not acknowledged.
    fn read(catalog: &Catalog, wanted: &Object) -> Self {
        let flag = |name: &str| wanted.get(name).is_some_and(|raw| raw.get() == "true");
        let lists = ["tools", "prompts", "resources"].into_iter().filter(|list| flag(&format!("{list}ListChanged")));
        let mut owners: BTreeMap<AgentName, (Vec<String>, Vec<String>)> = BTreeMap::new();
        let texts = |name: &str| -> Vec<String> {
            wanted.items(name).iter().take(WATCHED_MAX).filter_map(|raw| as_text(raw)).collect()
        };
        let view = catalog.mirror.view();
        for uri in texts("resourceSubscriptions") {
            if let Some(agent) = view.resource(&uri) {
                owners.entry(agent).or_default().0.push(uri);
            }
        }
        for task in texts("taskIds") {
            let owner = catalog.tasks.owner(&task);
            if let Some(agent) = owner.filter(|agent| era(catalog, agent) == Some(Era::Modern)) {
                owners.entry(agent).or_default().1.push(task);
            }
        }
        Self { lists: lists.collect(), owners }
    }

    fn accepted(&self) -> Object {
        let mut accepted = Object::default();
        for list in &self.lists {
            accepted.set(&format!("{list}ListChanged"), raw(&true));
        }
        let uris: Vec<&String> = self.owners.values().flat_map(|(uris, _)| uris).collect();
        let tasks: Vec<&String> = self.owners.values().flat_map(|(_, tasks)| tasks).collect();
        if !uris.is_empty() {
            accepted.set("resourceSubscriptions", raw(&uris));
        }
        if !tasks.is_empty() {
            accepted.set("taskIds", raw(&tasks));
        }
        accepted
    }
}
