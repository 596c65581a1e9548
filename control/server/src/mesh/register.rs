//! `POST /api/v1/mesh/v2/register`: a service that somebody deployed is made known.
//!
//! In: its address and what it offers. Out: for how long it is believed to be there.
//! Never here: whether it is taken; the core judges it like every claim.

use std::net::IpAddr;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use outrigger_control_core::agent::{Claim, ClaimedCapability, Sender};
use outrigger_control_core::registry::{Answer, Command, StreamId};
use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::Replica;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::upstream::desk::Desk;
use crate::upstream::place::Asker;
use crate::upstream::refused::{Refused, now};

/// How long a service is believed that does not say for how long.
const TTL_DEFAULT_SECONDS: u64 = 300;
const TTL_SECONDS_MAX: u64 = 86_400;
const VERSION_DEFAULT: &str = "1.0.0";

#[derive(Debug, Deserialize)]
pub struct Asked {
    service_id: String,
    service_name: String,
    address: String,
    port: u16,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    metadata: Metadata,
    /// Not in the founding documents, which have no heartbeats either.
    #[serde(default)]
    ttl_seconds: Option<u64>,
}

/// Whatever else is in it is passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    capabilities: Vec<String>,
    version: Option<String>,
}

pub async fn register(
    State(desk): State<Desk>,
    ConnectInfo(Caller(from)): ConnectInfo<Caller>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    desk.writer.leads()?;
    let Json(asked) = asked.map_err(|bad| Refused::new(bad.status(), bad.body_text()))?;
    let bad = |text: String| Refused::new(StatusCode::BAD_REQUEST, text);
    let ttl = match asked.ttl_seconds.unwrap_or(TTL_DEFAULT_SECONDS) {
        seconds @ 1..=TTL_SECONDS_MAX => Duration::from_secs(seconds),
        seconds => return Err(bad(format!("ttl_seconds: {seconds} is not within 1 to {TTL_SECONDS_MAX}"))),
    };
    let id = ReplicaId::new(&asked.service_id).map_err(|cause| bad(format!("service_id: {cause}")))?;
    AgentName::new(&asked.service_name).map_err(|cause| bad(format!("service_name: {cause}")))?;
    let node = Replica::direct_node(&id).map_err(|cause| bad(format!("service_id: {cause}")))?;
    let claims = vec![claim(&desk, &asked, from.ip().to_canonical()).await?];
    let sender = Sender { node: node.clone(), identity: None, from: from.ip().to_canonical() };
    let command = Command::Report { stream: StreamId::DIRECT, sender, claims, tally: None };
    let taken = desk.writer.apply(command).await?;
    if let Answer::Taken { refused } = taken.answer
        && let Some(refusal) = refused.into_iter().next()
    {
        return Err(bad(refusal.detail));
    }
    desk.keeper.keep(node, ttl);
    desk.sheet_of(taken.serial).await;
    let body = json!({
        "status": "registered", "service_id": id.as_str(), "service_name": asked.service_name,
        "ttl_seconds": ttl.as_secs(), "timestamp": now(),
    });
    Ok((StatusCode::CREATED, Json(body)))
}

async fn claim(desk: &Desk, asked: &Asked, from: IpAddr) -> Result<Claim, Refused> {
    let networks = desk.networks.borrow().clone();
    let asker = Asker { from, networks: &networks, is_insecure: desk.is_insecure };
    let placed = asker.place(&asked.address, asked.port).await;
    let address = placed.map_err(|cause| Refused::new(StatusCode::BAD_REQUEST, format!("address: {cause}")))?;
    let semver = asked.metadata.version.clone().unwrap_or_else(|| VERSION_DEFAULT.to_owned());
    let capability = |name: &String| ClaimedCapability {
        name: name.clone(),
        semver: semver.clone(),
        tags: asked.tags.clone(),
        ..ClaimedCapability::default()
    };
    Ok(Claim {
        id: asked.service_id.clone(),
        agent: asked.service_name.clone(),
        semver: semver.clone(),
        tags: asked.tags.clone(),
        address: address.to_string(),
        generation: 1,
        serving: true,
        capabilities: asked.metadata.capabilities.iter().map(capability).collect(),
        ..Claim::default()
    })
}
