//! What we answer ourselves: who we are, and pages of lists.
//!
//! In: the view. Out: results, in the form of the client's era.
//! Invariant: what is declared can be had: the three lists always, the rest only if a target has it now.

use outrigger_model::revision::{Era, Revision};

use super::listing::Kind;
use super::message::{INVALID_PARAMS, Message};
use super::object::{Object, Raw, raw};
use super::view::View;

const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";
const META_STALE: &str = "outrigger/stale";
/// Targets in trouble that are named to clients.
const STALE_MAX: usize = 64;

pub const LEGACY: [Revision; 3] = [Revision::V2025_11_25, Revision::V2025_06_18, Revision::V2025_03_26];
const INSTRUCTIONS: &str = "This is every agent you may use, as one server. Tools and prompts are named AGENT__NAME; resources keep \
                            their URIs. An agent that does not answer keeps its place in the lists and fails its own calls only.";

fn server() -> Object {
    Object::default().with("name", &"outrigger").with("version", &env!("CARGO_PKG_VERSION"))
}

fn capabilities(view: &View, era: Era) -> Object {
    let changes = Object::default().with("listChanged", &true);
    let subscribe = view.any(|listing| {
        listing.era == Era::Modern && listing.has("resources") || listing.tells("resources", "subscribe")
    });
    let mut all = Object::default().with("tools", &changes).with("prompts", &changes);
    all.set("resources", changes.with("subscribe", &subscribe).raw());
    for name in ["logging", "completions"] {
        if view.any(|listing| listing.has(name)) {
            all.set(name, Object::default().raw());
        }
    }
    const TASKS: &str = "io.modelcontextprotocol/tasks";
    let extends = |listing: &super::listing::Listing| {
        listing.capabilities.object("extensions").is_some_and(|known| known.get(TASKS).is_some())
    };
    if era == Era::Modern && view.any(extends) {
        all.set("extensions", Object::default().with(TASKS, &Object::default()).raw());
    }
    let old = |listing: &super::listing::Listing| listing.era == Era::Legacy && listing.has("tasks");
    if era == Era::Legacy && view.any(old) {
        let call = Object::default().with("tools", &Object::default().with("call", &Object::default()));
        all.set("tasks", Object::default().with("cancel", &Object::default()).with("requests", &call).raw());
    }
    all
}

fn stale(view: &View) -> Vec<&str> {
    view.troubled().take(STALE_MAX).map(|(agent, _)| agent.as_str()).collect()
}

/// The result of `initialize`; the revision that was agreed on.
pub fn initialized(view: &View, asked: Option<&str>) -> (Object, String) {
    let known = LEGACY.iter().map(ToString::to_string).find(|known| Some(known.as_str()) == asked);
    let revision = known.unwrap_or_else(|| Revision::V2025_11_25.to_string());
    let result = Object::default()
        .with("protocolVersion", &revision)
        .with("capabilities", &capabilities(view, Era::Legacy))
        .with("serverInfo", &server())
        .with("instructions", &INSTRUCTIONS)
        .with("_meta", &Object::default().with(META_STALE, &stale(view)));
    (result, revision)
}

/// Every revision that is spoken here, the newest first.
pub fn revisions() -> Vec<String> {
    std::iter::once(Revision::V2026_07_28).chain(LEGACY).map(|revision| revision.to_string()).collect()
}

/// The result of `server/discover`.
pub fn discovered(view: &View) -> Object {
    let meta = Object::default().with(META_SERVER, &server()).with(META_STALE, &stale(view));
    let result = Object::default()
        .with("resultType", &"complete")
        .with("supportedVersions", &revisions())
        .with("capabilities", &capabilities(view, Era::Modern))
        .with("instructions", &INSTRUCTIONS)
        .with("_meta", &meta);
    kept(result, view)
}

/// One page of a list.
pub fn page(view: &View, kind: Kind, params: &Object, size: usize, era: Era, id: Raw) -> Message {
    let cursor = params.text("cursor");
    let Ok((entries, next)) = view.page(kind, cursor.as_deref(), size) else {
        return Message::error(Some(id), INVALID_PARAMS, "the cursor was not made here");
    };
    let mut result = Object::default();
    if era == Era::Modern {
        result.set("resultType", raw(&"complete"));
    }
    result.set(kind.member(), raw(&entries));
    if let Some(next) = next {
        result.set("nextCursor", raw(&next));
    }
    let result = if era == Era::Modern { kept(result, view) } else { result };
    Message::result(id, &result)
}

fn kept(result: Object, view: &View) -> Object {
    let ttl = u64::try_from(view.ttl.as_millis()).unwrap_or(u64::MAX);
    let scope = if view.private { "private" } else { "public" };
    result.with("ttlMs", &ttl).with("cacheScope", &scope)
}

pub fn is_modern(revision: &str) -> bool {
    Revision::V2026_07_28.to_string() == revision
}
