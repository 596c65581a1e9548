//! `POST /heartbeat`: an agent without a proxy registers, or says that all is as it was.
//!
//! In: a body, and who sent it. Out: what each of its dependencies was resolved to.
//! Never here: what a body says (`outrigger-upstream` reads it), who may register what (the core judges).
//! Invariant: who is answered finds itself in the newest facts; a body that was taken before is not read again.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use outrigger_control_core::agent::{Refusal, Sender};
use outrigger_control_core::registry::{Answer, Command, StreamId};
use outrigger_model::digest::Digest;
use outrigger_model::replica::Replica;
use outrigger_model::resource::Serial;
use outrigger_upstream::answer::answer;
use outrigger_upstream::heartbeat::{BODY_BYTES_MAX, Heartbeat};
use outrigger_upstream::needs;

use crate::caller::Caller;
use crate::upstream::claim::claim;
use crate::upstream::desk::Desk;
use crate::upstream::directory::{Entry, Registered, Signal};
use crate::upstream::follow::judge;
use crate::upstream::place::Asker;
use crate::upstream::refused::{Refused, now};
use crate::upstream::resolved::{Answering, Resolved};
use crate::upstream::sheet::Sheet;

/// A body that takes longer than this is not read to its end.
const BODY_WITHIN: Duration = Duration::from_secs(30);

pub async fn post(
    State(desk): State<Desk>,
    ConnectInfo(Caller(from)): ConnectInfo<Caller>,
    body: Body,
) -> Result<Response, Refused> {
    desk.writer.leads()?;
    let place = desk.places.acquire().await.map_err(|_| Refused::stopping())?;
    let body = read(body).await?;
    let digest = Digest::of(&body);
    let answered = match desk.directory.of_body(&digest) {
        Some(known) if known.signal() != Signal::Gone => again(&desk, &known),
        _ => {
            let taken = register(&desk, from.ip().to_canonical(), &body, digest).await?;
            // What is left is waiting for others.
            drop((place, body));
            let sheet = desk.sheet_of(taken.serial).await;
            answered(&desk, taken.registered, &sheet, taken.is_new)
        }
    };
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], answered).into_response())
}

async fn read(body: Body) -> Result<Bytes, Refused> {
    let large =
        || Refused::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a heartbeat has at most {BODY_BYTES_MAX} bytes"));
    // A length that was announced needs not be waited for.
    if usize::try_from(body.size_hint().lower()).is_ok_and(|bytes| bytes > BODY_BYTES_MAX) {
        return Err(large());
    }
    let collected = tokio::time::timeout(BODY_WITHIN, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    let collected =
        collected.map_err(|_| Refused::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"))?;
    let collected = collected.map_err(|cause| match cause.is::<LengthLimitError>() {
        true => large(),
        false => Refused::new(StatusCode::BAD_REQUEST, "the body broke off"),
    })?;
    Ok(collected.to_bytes())
}

/// All is as it was at the agent; elsewhere something may have changed.
fn again(desk: &Desk, known: &Arc<Entry>) -> Bytes {
    desk.heard(known);
    if known.signal() == Signal::Same {
        return known.answer.clone();
    }
    answered(desk, known.registered(), &desk.sheet(), false)
}

/// A registration that the facts have, or will have with a snapshot.
struct Taken {
    registered: Registered,
    serial: Serial,
    is_new: bool,
}

async fn register(desk: &Desk, from: IpAddr, body: &[u8], digest: Digest) -> Result<Taken, Refused> {
    let heartbeat = Heartbeat::read(body)?;
    let id = heartbeat.id.clone();
    let no = |message: String| Refused::meaning(&id, message);
    let networks = desk.networks.borrow().clone();
    let asker = Asker { from, networks: &networks, is_insecure: desk.is_insecure };
    let (host, port) = (heartbeat.registration.host.clone(), heartbeat.registration.port);
    let address = asker.place(&host, port).await.map_err(|bad| no(bad.to_string()))?;
    let node = Replica::direct_node(&id).map_err(|bad| no(format!("agent_id: {bad}")))?;
    let needs = needs::of(&heartbeat.registration).map_err(|bad| no(bad.to_string()))?;
    let registration = Arc::new(heartbeat.registration.clone());
    let claims = vec![claim(&heartbeat, &registration, address)];
    let sender = Sender { node: node.clone(), identity: None, from };
    let is_new = desk.directory.find(id.as_str()).is_none_or(|entry| entry.signal() == Signal::Gone);
    let command = Command::Report { stream: StreamId::DIRECT, sender, claims, tally: None };
    let taken = desk.writer.apply(command).await?;
    if let Answer::Taken { refused } = taken.answer
        && let Some(Refusal { detail, .. }) = refused.into_iter().next()
    {
        return Err(no(detail));
    }
    // It speaks for itself from now on.
    desk.keeper.forget(&node);
    let agent = heartbeat.agent.to_string();
    let registered = Registered { id, agent, node, body: digest, registration, needs };
    Ok(Taken { registered, serial: taken.serial, is_new })
}

/// Answers from a sheet, and notes what was told.
fn answered(desk: &Desk, mut registered: Registered, sheet: &Arc<Sheet>, is_new: bool) -> Bytes {
    let told: Vec<Arc<Resolved>> = registered.needs.iter().map(|need| sheet.plain(need)).collect();
    let resolved: BTreeMap<_, _> = registered.needs.iter().map(|need| &need.alias).zip(&told).collect();
    let answering = Answering { id: &registered.id, agent: &registered.agent, resolved };
    let body = answer(registered.id.as_str(), &registered.registration, &answering, is_new, &now());
    let body = Bytes::from(body.to_string());
    // The facts keep the record that they had where the new one is equal: holding the same makes later looks cheap.
    let held = sheet.picture.facts.get(&registered.id).and_then(|standing| standing.replica.registration.as_ref());
    if let Some(held) = held.filter(|held| held.raw == registered.registration.raw) {
        registered.registration = Arc::clone(held);
    }
    let entry = Arc::new(Entry::new(registered, told, body.clone(), desk.now_ms()));
    desk.directory.put(Arc::clone(&entry));
    // What was shown while this was composed was not compared with it yet.
    entry.set(judge(&entry, &desk.sheet()));
    body
}
