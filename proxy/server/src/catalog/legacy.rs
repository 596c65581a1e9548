//! The face that clients with `initialize` and sessions see.
//!
//! In: POST, GET and DELETE of revisions 2025-03-26 to 2025-11-25. Out: answers.
//! Source: 2025-11-25 `basic/lifecycle`, `basic/transports`; 2025-03-26 `basic/index` for arrays of messages.
//! Invariant: an unknown session is 404, so that its client initialises again; it says nothing of any target's session.

use std::sync::Arc;
use std::time::Instant;

use http::StatusCode;
use outrigger_model::revision::{Era, Revision};
use outrigger_proxy_core::mcp::facts::Caller;
use outrigger_proxy_core::mcp::headers::SESSION_ID;
use outrigger_proxy_core::refusal::Refusal;
use tokio_util::task::AbortOnDropHandle;

use super::aim::{Miss, aim, request_id};
use super::answers;
use super::calls;
use super::listing::Kind;
use super::message::{INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, Message, PARSE_ERROR};
use super::object::{Object, Raw, as_text};
use super::outlet::{Answer, Outlet};
use super::session::{Asked, Session};
use super::state::Catalog;
use super::watching;

/// Most messages of one array.
const BATCH_MAX: usize = 256;

/// One POST.
pub async fn post(
    catalog: &Arc<Catalog>,
    caller: &Caller,
    session: Option<&[u8]>,
    body: &[u8],
) -> Result<Answer, Refusal> {
    let opening = match Message::read(body) {
        Some(Message::Request { id, method, params }) if method == "initialize" => Some((id, params)),
        _ => None,
    };
    if let Some((id, params)) = opening {
        return Ok(initialize(catalog, caller, id, params.as_deref().and_then(Object::read).unwrap_or_default()).await);
    }
    let Some(session) = session else {
        let id = match Message::read(body) {
            Some(Message::Request { id, .. }) => Some(id),
            _ => None,
        };
        return Ok(bad(id, INVALID_REQUEST, "initialize first: this endpoint has sessions"));
    };
    let session = find(catalog, caller, session)?;
    if body.trim_ascii_start().starts_with(b"[") {
        return Ok(batch(catalog, &session, body).await);
    }
    let Some(message) = Message::read(body) else {
        let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        let code = if parsed { INVALID_REQUEST } else { PARSE_ERROR };
        return Ok(bad(None, code, "the body is no message"));
    };
    match message {
        Message::Request { id, method, params } => {
            let (outlet, items) = Outlet::new();
            let work = request(Arc::clone(catalog), session, id, method, params, outlet);
            Ok(Answer::of(items, AbortOnDropHandle::new(tokio::spawn(work))).await)
        }
        message => {
            tell(catalog, &session, message).await;
            Ok(Answer::empty(StatusCode::ACCEPTED))
        }
    }
}

/// GET: the stream for what nobody asked for.
pub fn stream(catalog: &Catalog, caller: &Caller, session: Option<&[u8]>) -> Result<Answer, Refusal> {
    let Some(session) = session else { return Ok(bad(None, INVALID_REQUEST, "a stream belongs to a session")) };
    Ok(Answer::stream(find(catalog, caller, session)?.open_stream(), None).ending_at_drain(None))
}

/// DELETE.
pub fn delete(catalog: &Catalog, caller: &Caller, session: Option<&[u8]>) -> Result<Answer, Refusal> {
    let Some(id) = session else { return Ok(bad(None, INVALID_REQUEST, "which session is to end?")) };
    find(catalog, caller, id)?;
    catalog.sessions.remove(id).into_iter().for_each(|session| catalog.end(session));
    Ok(Answer::empty(StatusCode::OK))
}

fn find(catalog: &Catalog, caller: &Caller, id: &[u8]) -> Result<Arc<Session>, Refusal> {
    let session = catalog.sessions.find(id).ok_or(Refusal::SessionGone)?;
    if session.caller != *caller {
        return Err(Refusal::SessionOfAnotherCaller);
    }
    session.touch(Instant::now());
    Ok(session)
}

async fn initialize(catalog: &Arc<Catalog>, caller: &Caller, id: Raw, params: Object) -> Answer {
    let view = catalog.mirror.first_view().await;
    let (result, revision) = answers::initialized(&view, params.text("protocolVersion").as_deref());
    match catalog.open(caller, revision, &params) {
        Some(session) => Answer::json(StatusCode::OK, &Message::result(id, &result)).with(SESSION_ID, session),
        None => bad(Some(id), INTERNAL_ERROR, "no session can be opened"),
    }
}

/// 2025-03-26: several messages at once. Their answers share one stream.
async fn batch(catalog: &Arc<Catalog>, session: &Arc<Session>, body: &[u8]) -> Answer {
    if session.revision != Revision::V2025_03_26.to_string() {
        return bad(None, INVALID_REQUEST, "arrays of messages went with revision 2025-03-26");
    }
    let parts: Vec<Object> = serde_json::from_slice(body).unwrap_or_default();
    let messages: Vec<Message> = parts.into_iter().filter_map(Message::of).collect();
    if messages.is_empty() || messages.len() > BATCH_MAX {
        return bad(None, INVALID_REQUEST, "the array holds no messages, or too many");
    }
    if !messages.iter().any(|message| matches!(message, Message::Request { .. })) {
        for message in messages {
            tell(catalog, session, message).await;
        }
        return Answer::empty(StatusCode::ACCEPTED);
    }
    let (outlet, items) = Outlet::new();
    let (catalog, session) = (Arc::clone(catalog), Arc::clone(session));
    let work = async move {
        let each = messages.into_iter().map(|message| {
            let (catalog, session, outlet) = (Arc::clone(&catalog), Arc::clone(&session), outlet.shared());
            async move {
                match message {
                    Message::Request { id, method, params } => {
                        request(catalog, session, id, method, params, outlet).await;
                    }
                    message => tell(&catalog, &session, message).await,
                }
            }
        });
        futures_util::future::join_all(each).await;
    };
    Answer::stream(items, Some(AbortOnDropHandle::new(tokio::spawn(work))))
}

/// A notice of the client, or its answer to what a target asked.
async fn tell(catalog: &Catalog, session: &Session, message: Message) {
    match message {
        Message::Answer { id: Some(id), outcome } => match as_text(&id).and_then(|id| session.answered(&id)) {
            Some(Asked::Target { agent, id }) => {
                if let Some(line) = session.lines.opened_to(&agent) {
                    // A target that is gone does not wait for it any more.
                    let _ = line.tell(&Message::Answer { id: Some(id), outcome }).await;
                }
            }
            // A call that ended does not wait for it any more.
            Some(Asked::Call(waiting)) => drop(waiting.send(outcome)),
            None => catalog.message_dropped(),
        },
        Message::Notice { method, params } if method == "notifications/cancelled" => {
            let call = request_id(params.as_ref()).and_then(|id| session.call(id.get()));
            let Some(call) = call else { return };
            match session.lines.opened_to(&call.agent).filter(|line| line.era == Era::Legacy) {
                Some(line) => {
                    let params =
                        params.as_deref().and_then(Object::read).unwrap_or_default().with("requestId", &call.id);
                    // A target that is gone does not run it any more.
                    let _ = line.tell(&Message::notice(&method, Some(params))).await;
                }
                None => call.cancel.cancel(),
            }
        }
        message @ Message::Notice { .. } => {
            let Message::Notice { method, .. } = &message else { return };
            if method == "notifications/roots/list_changed" {
                let lines = session.lines.opened();
                let legacy = lines.iter().filter(|line| line.era == Era::Legacy);
                futures_util::future::join_all(legacy.map(|line| line.tell(&message))).await;
            }
        }
        Message::Answer { .. } | Message::Request { .. } => {}
    }
}

/// Serves one request of a session.
async fn request(
    catalog: Arc<Catalog>,
    session: Arc<Session>,
    id: Raw,
    method: String,
    params: Option<Raw>,
    outlet: Outlet,
) {
    let params = params.as_deref().and_then(Object::read).unwrap_or_default();
    let view = catalog.mirror.first_view().await;
    let answer = match (method.as_str(), Kind::of_method(&method)) {
        (_, Some(kind)) => answers::page(&view, kind, &params, catalog.settings.page_size, Era::Legacy, id),
        ("ping", _) => Message::result(id, &Object::default()),
        ("logging/setLevel", _) => set_level(&catalog, &session, id, params).await,
        _ => match aim(&view, &catalog.tasks, &method, params) {
            Ok(aim) if watching::is_ours(&catalog, &method, &aim) => {
                watching::watch(&catalog, &session, id, &method, aim)
            }
            Ok(aim) => return calls::of_session(&catalog, &session, id, &method, aim, &outlet).await,
            Err(miss) => missed(id, &miss),
        },
    };
    // A client that left hears nothing more.
    let _ = outlet.end(StatusCode::OK, &answer).await;
}

async fn set_level(catalog: &Catalog, session: &Session, id: Raw, params: Object) -> Message {
    if params.text("level").is_none() {
        return Message::error(Some(id), INVALID_PARAMS, "`level` is missing");
    }
    session.set_level(params.raw());
    let view = catalog.mirror.view();
    let takes = |line: &super::line::Line| {
        let listing = view.targets.get(&line.agent).and_then(|known| known.listing.as_ref());
        line.era == Era::Legacy && listing.is_some_and(|listing| listing.has("logging"))
    };
    let lines: Vec<_> = session.lines.opened().into_iter().filter(|line| takes(line)).collect();
    // A level that is not taken makes one log louder; the client is not to blame.
    let asked = lines
        .iter()
        .map(|line| tokio::time::timeout(catalog.settings.deadline, line.ask("logging/setLevel", params.clone())));
    futures_util::future::join_all(asked).await;
    Message::result(id, &Object::default())
}

pub fn missed(id: Raw, miss: &Miss) -> Message {
    let code = if *miss == Miss::Method { METHOD_NOT_FOUND } else { INVALID_PARAMS };
    Message::error(Some(id), code, &miss.to_string())
}

pub fn bad(id: Option<Raw>, code: i32, text: &str) -> Answer {
    Answer::json(StatusCode::BAD_REQUEST, &Message::error(id, code, text))
}
