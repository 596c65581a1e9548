//! `GET /v1/snapshot?at=&after=&wait=&needs=&types=`: one whole snapshot as JSON, now, or as soon as there is a newer one.
//!
//! Equal snapshots are equal texts, and the ETag is the digest that proxies verify.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use outrigger_control_core::snapshot::scope::Scope;
use outrigger_model::resource::{ResourceKind, Serial};
use outrigger_wire::json::{BadBytes, Schema};
use outrigger_wire::time::rfc3339;
use serde::Serialize;
use serde_json::value::RawValue;
use tracing::warn;

use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::publish::edition::{Edition, Topic};
use crate::watch::cursor::Filter;
use crate::watch::feed::Feed;
use crate::watch::words::{kinds, origin};

const HINT: &str =
    "write ?at=42, or ?after=42&wait=30s for the next one; &needs=forecast=weather ^1.2 and &types=Route for less";
const WAIT_MAX: Duration = Duration::from_secs(300);

#[derive(Debug, Default)]
struct Asked {
    filter: Filter,
    scope: Scope,
    at: Option<u64>,
    after: Option<u64>,
    wait: Option<Duration>,
}

#[derive(Serialize)]
struct Whole<'a> {
    epoch: String,
    serial: u64,
    digest: String,
    made_at: String,
    reason: String,
    view: &'a str,
    resources: Vec<ResourceItem<'a>>,
}

#[derive(Serialize)]
struct ResourceItem<'a> {
    r#type: &'static str,
    name: &'a str,
    token: String,
    body: Option<Box<RawValue>>,
}

pub async fn one(
    State(api): State<Api>,
    headers: HeaderMap,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(pairs) = pairs?;
    let asked = read(&pairs)?;
    let feed = api.feeds.open(asked.scope.clone()).await.map_err(|bad| Problem::no_view(&bad))?;
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|known| known.to_str().ok());
    let known: Vec<&str> = known.flat_map(|known| known.split(',')).map(str::trim).collect();
    let is_known =
        |edition: &Edition| known.iter().any(|tag| *tag == "*" || tag.trim_start_matches("W/") == tag_of(edition));
    let edition = match asked.at {
        Some(serial) => feed.at(Serial(serial)).map_err(|kept| Problem::not_kept(serial, &kept))?,
        None => awaited(&api, &feed, &asked, is_known).await?,
    };
    let head = [(header::ETAG, tag_of(&edition)), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if is_known(&edition) {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    let text = text(&edition, &feed, &asked.filter, api.feeds.schema()).map_err(|bad| {
        warn!(%bad, "a snapshot cannot be shown");
        Problem::not_shown()
    })?;
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((head, json, Body::from(text)).into_response())
}

/// The newest edition, perhaps after a while.
async fn awaited(
    api: &Api,
    feed: &Arc<Feed>,
    asked: &Asked,
    is_known: impl Fn(&Edition) -> bool,
) -> Result<Arc<Edition>, Problem> {
    let is_old = |edition: &Edition| match asked.after {
        Some(after) => edition.serial.0 <= after,
        None => is_known(edition),
    };
    let mut editions = feed.follow();
    let Some(wait) = asked.wait.filter(|_| is_old(&feed.newest())) else { return Ok(feed.newest()) };
    let _place = api.feeds.place().map_err(|full| Problem::many_readers(full.to_string()))?;
    tokio::select! {
        () = api.lifecycle.stopping().cancelled() => return Err(Problem::stopping()),
        // Whoever waited long enough gets what there is.
        _ = tokio::time::timeout(wait, editions.wait_for(|published| !is_old(&published.edition))) => {}
    }
    Ok(feed.newest())
}

fn read(pairs: &[(String, String)]) -> Result<Asked, Problem> {
    let bad = |detail: String| Problem::bad_query(detail, HINT);
    let number =
        |key: &str, value: &str| value.parse::<u64>().map_err(|_| bad(format!("{key}: `{value}` is no serial")));
    let (mut asked, mut types, mut needs) = (Asked::default(), Vec::new(), Vec::new());
    for (key, value) in pairs {
        match key.as_str() {
            "at" => asked.at = Some(number(key, value)?),
            "after" => asked.after = Some(number(key, value)?),
            "wait" => asked.wait = Some(wait(value).ok_or_else(|| bad(format!("wait: `{value}` is not like 30s")))?),
            "types" => types.push(value.as_str()),
            "needs" => needs.push(value.as_str()),
            other => return Err(bad(format!("`{other}` is not known here"))),
        }
    }
    if asked.at.is_some() && (asked.after.is_some() || asked.wait.is_some()) {
        return Err(bad("`at` asks for one that is there; there is nothing to wait for".to_owned()));
    }
    asked.filter.kinds = kinds(types).map_err(|unknown| bad(unknown.to_string()))?;
    asked.scope = Scope::parse(&needs).map_err(|wrong| bad(wrong.to_string()))?;
    Ok(asked)
}

/// `30s`, `500ms`, `1m`, or seconds; at most five minutes.
fn wait(text: &str) -> Option<Duration> {
    let at = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(at)?;
    let number: u64 = number.parse().ok()?;
    let wait = match unit {
        "ms" => Duration::from_millis(number),
        "s" | "" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        _ => return None,
    };
    (wait <= WAIT_MAX).then_some(wait)
}

fn tag_of(edition: &Edition) -> String {
    format!("\"{}\"", edition.digest)
}

fn text(edition: &Edition, feed: &Feed, filter: &Filter, schema: &Schema) -> Result<String, BadBytes> {
    let mut resources = Vec::new();
    for kind in ResourceKind::ALL.into_iter().filter(|kind| filter.wants(*kind)) {
        for (name, entry) in &edition.shelf(Topic::Resources(kind)).entries {
            let body = RawValue::from_string(schema.resource(kind, &entry.body)?).ok();
            resources.push(ResourceItem { r#type: kind.as_str(), name, token: entry.token.to_string(), body });
        }
    }
    let (reason, made_at) = origin(edition).map(|(reason, made_at)| (reason, rfc3339(made_at))).unwrap_or_default();
    let whole = Whole {
        epoch: edition.epoch.to_string(),
        serial: edition.serial.0,
        digest: edition.digest.to_string(),
        made_at,
        reason,
        view: feed.view().key().as_str(),
        resources,
    };
    Ok(serde_json::to_string(&whole).unwrap_or_default())
}

#[cfg(test)]
mod tests;
