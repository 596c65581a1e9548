//! `POST /v1/publish` has a document run, `POST /v1/rollback` an earlier one again.
//!
//! In: a document or a number, author, reason, and `If-Match` with the number of the intent that the sender saw run.
//! Out: the number of the new intent and the serial that goes by it.
//! Invariant: who is answered 200 finds it stored and in the newest snapshot.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::http::refused::{FindingItem, Refused, items};
use crate::intent::desk::{Asked, Published, Sent};

/// Largest body of any request.
pub const BODY_BYTES_MAX: usize = 1 << 20;
pub(super) const HINT: &str =
    r#"send {"document": <YAML as text, or an object>, "author": …, "reason": …}; a plan takes the document only"#;
const HINT_BACK: &str = r#"send {"author": …, "reason": …}, and perhaps "to" with the number of an intent"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    document: Value,
    author: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Back {
    /// Left out: the intent before the one that runs.
    #[serde(default)]
    to: Option<u64>,
    author: String,
    reason: String,
}

#[derive(Debug, Serialize)]
pub struct PublishedItem {
    number: u64,
    /// A proxy that runs this snapshot, or a later one, goes by it.
    serial: u64,
    /// Whether it was made by this; not if it ran already.
    is_new: bool,
    findings: Vec<FindingItem>,
}

pub async fn publish(
    State(api): State<Api>,
    headers: HeaderMap,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<Json<PublishedItem>, Refused> {
    let Json(Wanted { document, author, reason }) = wanted.map_err(|bad| Refused::body(&bad, HINT))?;
    let expected = expected(&headers).ok_or_else(|| Refused::unconditional(api.desk.current()))?;
    let asked = Asked { author, reason, expected };
    Ok(Json(item(api.desk.publish(&sent(document)?, asked).await?)))
}

pub async fn roll_back(
    State(api): State<Api>,
    headers: HeaderMap,
    back: Result<Json<Back>, JsonRejection>,
) -> Result<Json<PublishedItem>, Refused> {
    let Json(Back { to, author, reason }) = back.map_err(|bad| Refused::body(&bad, HINT_BACK))?;
    let expected = expected(&headers).ok_or_else(|| Refused::unconditional(api.desk.current()))?;
    Ok(Json(item(api.desk.roll_back(to, Asked { author, reason, expected }).await?)))
}

/// A text is as people write it, an object as a program does.
pub(super) fn sent(document: Value) -> Result<Sent, Refused> {
    match document {
        Value::String(text) => Ok(Sent::Text(text)),
        Value::Object(_) => Ok(Sent::Literal(document.to_string())),
        _ => Err(Problem::bad_body("`document` is neither a text nor an object", HINT).into()),
    }
}

/// The number in `If-Match: "<number>"`.
pub(super) fn expected(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(header::IF_MATCH)?.to_str().ok()?.trim();
    text.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

fn item(published: Published) -> PublishedItem {
    let Published { number, serial, is_new, findings } = published;
    PublishedItem { number, serial: serial.0, is_new, findings: items(findings) }
}
