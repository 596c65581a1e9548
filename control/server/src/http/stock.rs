//! `GET /v1/stock`: the stock xDS clients, what each of them accepted and refused, and what none of them can be told.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::http::api::Api;
use crate::stock::gaps::inexpressible;
use crate::stock::guests::{Row, Told};
use crate::stock::topic::Mode;

#[derive(Debug, Serialize)]
pub struct Answer {
    items: Vec<Item>,
    /// Of the base view.
    inexpressible: Vec<GapItem>,
}

#[derive(Debug, Serialize)]
struct Item {
    node: String,
    identity: Option<String>,
    kind: &'static str,
    mode: &'static str,
    build: String,
    connected: bool,
    view: String,
    types: BTreeMap<&'static str, TypeItem>,
}

#[derive(Debug, Serialize)]
struct TypeItem {
    /// Accepted last.
    version: Option<String>,
    /// Refused, if it accepted nothing since.
    refused: Option<String>,
    refusal: Option<String>,
    refusals: u64,
    answers: u64,
}

#[derive(Debug, Serialize)]
struct GapItem {
    at: String,
    says: &'static str,
}

pub async fn list(State(api): State<Api>) -> Json<Answer> {
    let built = api.views.base().newest().built;
    let gaps = inexpressible(&built.snapshot).into_iter().map(|gap| GapItem { at: gap.at, says: gap.says });
    Json(Answer { items: api.guests.list().into_iter().map(item).collect(), inexpressible: gaps.collect() })
}

fn item(row: Row) -> Item {
    Item {
        node: row.who.node.to_string(),
        identity: row.who.identity.map(|identity| identity.to_string()),
        kind: row.who.dialect,
        mode: match row.who.mode {
            Mode::Sotw => "sotw",
            Mode::Delta => "delta",
        },
        build: row.who.build,
        connected: row.streams > 0,
        view: row.who.view.to_string(),
        types: row.kinds.into_iter().map(|(kind, told)| (kind.as_str(), told_item(told))).collect(),
    }
}

fn told_item(told: Told) -> TypeItem {
    let Told { version, refusal, refusals, answers } = told;
    let (refused, refusal) = refusal.unzip();
    TypeItem { version, refused, refusal, refusals, answers }
}
