//! `GET /v1/events?after=&limit=`: what happened, oldest first; without `after`, the newest.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use outrigger_control_core::event::Event;
use outrigger_control_core::port::Store;
use outrigger_wire::time::rfc3339;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::http::api::{Api, Items};
use crate::http::problem::Problem;
use crate::store::StoreError;

const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 1_000;

#[derive(Debug, Deserialize)]
pub struct Page {
    after: Option<u64>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
pub struct EventItem {
    id: u64,
    at: String,
    kind: &'static str,
    subject: String,
    detail: String,
}

pub async fn list(
    State(api): State<Api>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Items<EventItem>>, Problem> {
    let Query(page) = page?;
    let events = read(&api, &page).await.map_err(|error| {
        warn!(%error, "events could not be read");
        Problem::store()
    })?;
    Ok(Json(Items { items: events.into_iter().map(item).collect() }))
}

async fn read(api: &Api, page: &Page) -> Result<Vec<Event>, StoreError> {
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    let after = match page.after {
        Some(after) => after,
        None => api.store.last_event().await?.saturating_sub(u64::from(limit)),
    };
    api.store.events(after, limit).await
}

fn item(event: Event) -> EventItem {
    EventItem {
        id: event.id,
        at: rfc3339(event.at),
        kind: event.kind.as_str(),
        subject: event.subject,
        detail: event.detail,
    }
}
