//! `GET /v1/leader`: whether this control leads, in which term, and where the one is that does.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::http::api::Api;
use crate::writer::{NotLeading, Reign, Storing};

#[derive(Debug, Serialize)]
pub struct Leader {
    role: &'static str,
    /// Terms are counted where replicas share a store; 0 where this control is alone.
    term: Option<u64>,
    /// Where the leader is, as this follower knows.
    leader: Option<String>,
    /// Whether the store takes what is written.
    storing: bool,
    serial: u64,
}

pub async fn show(State(api): State<Api>) -> Json<Leader> {
    let (role, leader) = match api.writer.reign() {
        Reign::Own { .. } => ("leader", None),
        Reign::Other(NotLeading { leader }) => ("follower", leader),
    };
    let storing = matches!(&*api.writer.storing().borrow(), Storing::Fine);
    let serial = api.views.base().newest().edition.serial.0;
    Json(Leader { role, term: api.writer.reign().term(), leader, storing, serial })
}
