//! The face that clients without sessions see.
//!
//! In: POST of revision 2026-07-28. Out: answers.
//! Source: 2026-07-28 `basic/index` (error codes and their statuses), `basic/transports/streamable-http` (headers and body agree).
//! Invariant: what the headers say of a message is compared with the message before anything is done with it.

use std::sync::Arc;

use http::StatusCode;
use outrigger_model::revision::Era;
use tokio_util::task::AbortOnDropHandle;

use super::aim::{Miss, aim};
use super::answers;
use super::calls::{self, ModernClient};
use super::legacy::{bad, missed};
use super::line::{META, META_CAPABILITIES, META_VERSION, name_of};
use super::listing::Kind;
use super::message::{HEADER_MISMATCH, INVALID_PARAMS, INVALID_REQUEST, Message, PARSE_ERROR, UNSUPPORTED_VERSION};
use super::object::{Object, Raw};
use super::outlet::{Answer, Outlet};
use super::state::Catalog;
use super::watching;

/// What the headers of a request say of it.
pub struct Said {
    pub revision: String,
    pub method: Option<String>,
    /// Decoded.
    pub name: Option<String>,
    /// `Mcp-Param-*`, as they came.
    pub params: Vec<(String, String)>,
}

/// One POST.
pub async fn post(catalog: &Arc<Catalog>, said: Said, body: &[u8]) -> Answer {
    let Some(message) = Message::read(body) else {
        let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        let code = if parsed { INVALID_REQUEST } else { PARSE_ERROR };
        return bad(None, code, "the body is no message");
    };
    match message {
        Message::Request { id, method, params } => {
            let params = params.as_deref().and_then(Object::read).unwrap_or_default();
            if let Err(answer) = check(&said, &id, &method, &params) {
                return *answer;
            }
            let (outlet, items) = Outlet::new();
            let client = ModernClient { revision: said.revision, headers: said.params };
            let last = (method == "subscriptions/listen").then(|| watching::over(&id));
            let work = request(Arc::clone(catalog), client, id, method, params, outlet);
            let answer = Answer::of(items, AbortOnDropHandle::new(tokio::spawn(work))).await;
            if last.is_some() { answer.ending_at_drain(last.as_ref()) } else { answer }
        }
        Message::Notice { .. } => Answer::empty(StatusCode::ACCEPTED),
        Message::Answer { .. } => bad(None, INVALID_REQUEST, "nobody here asked for an answer"),
    }
}

fn check(said: &Said, id: &Raw, method: &str, params: &Object) -> Result<(), Box<Answer>> {
    let refuse = |code, text: &str| Err(Box::new(bad(Some(id.clone()), code, text)));
    if said.method.as_deref() != Some(method) {
        return refuse(HEADER_MISMATCH, "`Mcp-Method` and the method of the message differ");
    }
    let meta = params.object(META).unwrap_or_default();
    let Some(revision) = meta.text(META_VERSION) else {
        return refuse(INVALID_PARAMS, "`_meta` names no revision of the protocol");
    };
    if revision != said.revision {
        return refuse(HEADER_MISMATCH, "`MCP-Protocol-Version` and the revision in `_meta` differ");
    }
    if !answers::is_modern(&revision) {
        let data = Object::default().with("supported", &answers::revisions()).with("requested", &revision);
        let error =
            Object::default().with("code", &UNSUPPORTED_VERSION).with("message", &"revision is not spoken here");
        let outcome = super::message::Outcome::Error(error.with("data", &data).raw());
        return Err(Box::new(Answer::json(
            StatusCode::BAD_REQUEST,
            &Message::Answer { id: Some(id.clone()), outcome },
        )));
    }
    if meta.get(META_CAPABILITIES).is_none() {
        return refuse(INVALID_PARAMS, "`_meta` does not say what the client can do");
    }
    if name_of(method, params).is_some_and(|name| said.name.as_ref() != Some(&name)) {
        return refuse(HEADER_MISMATCH, "`Mcp-Name` and the name in the message differ");
    }
    Ok(())
}

async fn request(catalog: Arc<Catalog>, client: ModernClient, id: Raw, method: String, params: Object, outlet: Outlet) {
    let view = catalog.mirror.first_view().await;
    let (status, answer) = match (method.as_str(), Kind::of_method(&method)) {
        (_, Some(kind)) => {
            let size = catalog.settings.page_size;
            (StatusCode::OK, answers::page(&view, kind, &params, size, Era::Modern, id))
        }
        ("server/discover", _) => (StatusCode::OK, Message::result(id, &answers::discovered(&view))),
        ("subscriptions/listen", _) => return watching::listen(&catalog, id, &params, &outlet).await,
        // What went with the sessions.
        ("resources/subscribe" | "resources/unsubscribe" | "tasks/result", _) => {
            (StatusCode::NOT_FOUND, missed(id, &Miss::Method))
        }
        _ => match aim(&view, &catalog.tasks, &method, params) {
            Ok(aim) => return calls::of_modern(&catalog, &client, id, &method, aim, &outlet).await,
            Err(miss) if miss == Miss::Method => (StatusCode::NOT_FOUND, missed(id, &miss)),
            Err(miss) => (StatusCode::OK, missed(id, &miss)),
        },
    };
    // A client that left hears nothing more.
    let _ = outlet.end(status, &answer).await;
}
