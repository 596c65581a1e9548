//! `HEAD /heartbeat/{id}`: an agent lives, and asks whether it should register again; `DELETE /agents/{id}`: it ends.
//!
//! In: an id. Out: 200, 202 or 410 and nothing else, because agents take any other status for a registry in trouble.
//! Invariant: a light signal reads one entry of a map, and waits for nothing.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use outrigger_control_core::registry::{Command, StreamId};
use outrigger_model::name::ReplicaId;
use outrigger_model::replica::Replica;

use crate::upstream::desk::Desk;
use crate::upstream::directory::Signal;
use crate::upstream::refused::Refused;

pub async fn head(State(desk): State<Desk>, Path(id): Path<String>) -> StatusCode {
    if desk.writer.leads().is_err() {
        return as_the_leader_has_it(&desk, &id);
    }
    let Some(entry) = desk.directory.find(&id) else { return StatusCode::GONE };
    match entry.signal() {
        Signal::Gone => StatusCode::GONE,
        Signal::Same => {
            desk.heard(&entry);
            StatusCode::OK
        }
        Signal::Changed => {
            desk.heard(&entry);
            StatusCode::ACCEPTED
        }
    }
}

/// Where another control leads nothing is renewed, and what an agent was told last is not known; that it is there is.
fn as_the_leader_has_it(desk: &Desk, id: &str) -> StatusCode {
    let sheet = desk.sheet();
    let standing = ReplicaId::new(id).ok().and_then(|id| sheet.picture.facts.get(&id));
    let is_there = standing.is_some_and(|standing| standing.replica.is_direct() && standing.is_callable());
    if is_there { StatusCode::OK } else { StatusCode::GONE }
}

/// Twice is as good as once.
pub async fn delete(State(desk): State<Desk>, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    let Ok(id) = ReplicaId::new(&id) else { return Ok(StatusCode::NO_CONTENT) };
    let Ok(node) = Replica::direct_node(&id) else { return Ok(StatusCode::NO_CONTENT) };
    if let Some(standing) = desk.sheet().picture.facts.get(&id).filter(|standing| !standing.replica.is_direct()) {
        let error = format!("agent '{id}' is registered by its proxy `{}`", standing.replica.node);
        let hint = "stop the agent or its proxy, which withdraws it";
        return Err(Refused::hinted(StatusCode::FORBIDDEN, error, hint));
    }
    desk.writer.leads()?;
    desk.keeper.forget(&node);
    let leave = Command::Leave { stream: StreamId::DIRECT, node };
    let left = desk.writer.apply(leave).await?;
    if let Some(entry) = desk.directory.find(id.as_str()) {
        desk.directory.remove(&entry);
    }
    desk.sheet_of(left.serial).await;
    Ok(StatusCode::NO_CONTENT)
}
