//! Takes a call, makes it, and passes its answer on as it comes.
//!
//! In: a request for `/proxy/…`. Out: the answer of the agent, or why there is none.
//! Never here: bodies as a whole.
//! Invariant: what its time ran out for is never made to look whole: an event stream ends with a comment that says so, anything else
//! breaks off.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::TokioIo;
use outrigger_identity::Material;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::lifecycle::Lifecycle;
use crate::relay::budget::{self, budget};
use crate::relay::dial::dial;
use crate::relay::target::{NoTarget, Target};
use crate::upstream::refused::Refused;
use crate::upstream::sheet::Sheet;

/// Calls under way at once; people make them.
const CALLS_MAX: usize = 64;
/// Largest request.
const REQUEST_BYTES_MAX: usize = 16 << 20;
/// What of a request goes on: nothing that says who asks, and nothing of the connection.
const PASSED: [&str; 10] = [
    "content-type",
    "accept",
    "mcp-session-id",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    "last-event-id",
    "x-trace-id",
    "x-parent-span",
    budget::HEADER,
];
/// What of an answer is about its own connection.
const KEPT: [HeaderName; 4] = [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::CONTENT_LENGTH];

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Relay {
    sheets: watch::Receiver<Arc<Sheet>>,
    material: Option<Material>,
    lifecycle: Lifecycle,
    is_on: bool,
    places: Arc<Semaphore>,
}

impl Relay {
    pub fn new(
        sheets: watch::Receiver<Arc<Sheet>>,
        material: Option<Material>,
        lifecycle: Lifecycle,
        is_on: bool,
    ) -> Self {
        Self { sheets, material, lifecycle, is_on, places: Arc::new(Semaphore::new(CALLS_MAX)) }
    }
}

pub fn router(relay: Relay) -> Router {
    Router::new().route("/proxy/{*target}", any(call)).with_state(relay)
}

async fn call(State(relay): State<Relay>, Path(target): Path<String>, request: Request) -> Result<Response, Refused> {
    if !relay.is_on {
        let hint = "call through a proxy, or set `relay: true` in control's configuration";
        return Err(Refused::hinted(StatusCode::FORBIDDEN, "control passes no calls on", hint));
    }
    if !matches!(*request.method(), Method::GET | Method::POST | Method::DELETE) {
        return Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, "MCP knows GET, POST and DELETE"));
    }
    let full =
        |_| Refused::new(StatusCode::SERVICE_UNAVAILABLE, format!("{CALLS_MAX} calls are under way; try again later"));
    let place = Arc::clone(&relay.places).try_acquire_owned().map_err(full)?;
    let facts = Arc::clone(&relay.sheets.borrow().picture.facts);
    let target = Target::find(&facts, &target, request.uri().query()).map_err(no_target)?;
    let budget = budget(request.headers());
    let until = Instant::now() + budget;
    let made = tokio::time::timeout_at(until, make(&relay, &target, request));
    let answer = made.await.map_err(|_| {
        Refused::new(StatusCode::GATEWAY_TIMEOUT, format!("no answer within the {} s of the call", budget.as_secs()))
    })??;
    Ok(passed_on(answer, Running { until, budget, _place: place }))
}

fn no_target(no: NoTarget) -> Refused {
    let status = match no {
        NoTarget::NoPath | NoTarget::Path | NoTarget::Several(_) => StatusCode::BAD_REQUEST,
        NoTarget::Unknown(_) => StatusCode::FORBIDDEN,
    };
    Refused::new(status, no.to_string())
}

async fn make(
    relay: &Relay,
    target: &Target,
    request: Request,
) -> Result<hyper::Response<hyper::body::Incoming>, Refused> {
    let unreached = |cause: &dyn std::error::Error| {
        let inner = cause.source().map(|inner| format!(": {inner}")).unwrap_or_default();
        let error = format!("Failed to reach target agent: {cause}{inner}");
        Refused::new(StatusCode::BAD_GATEWAY, error.chars().take(512).collect::<String>())
    };
    let wire = dial(&target.replica, relay.material.as_ref()).await.map_err(|cause| unreached(&cause))?;
    let opened = hyper::client::conn::http1::handshake(TokioIo::new(wire)).await;
    let (mut sender, connection) = opened.map_err(|cause| unreached(&cause))?;
    let stopping = relay.lifecycle.stopping().clone();
    // It ends with the answer, because nobody keeps the sender.
    relay.lifecycle.tasks().spawn(async move {
        tokio::select! {
            () = stopping.cancelled() => {}
            ended = connection => if let Err(error) = ended {
                debug!(%error, "a call through control broke off");
            }
        }
    });
    let (head, body) = request.into_parts();
    let mut asked = hyper::Request::builder().method(head.method).uri(&target.path);
    if let Some(fields) = asked.headers_mut() {
        let host = HeaderValue::from_str(&target.replica.address.to_string());
        fields.extend(host.ok().map(|host| (header::HOST, host)));
        fields.extend(PASSED.iter().filter_map(|name| {
            let value = head.headers.get(*name)?.clone();
            Some((HeaderName::from_static(name), value))
        }));
    }
    let asked = asked.body(Limited::new(body, REQUEST_BYTES_MAX)).map_err(|cause| unreached(&cause))?;
    sender.send_request(asked).await.map_err(|cause| unreached(&cause))
}

/// A call whose answer has begun.
struct Running {
    until: Instant,
    budget: Duration,
    _place: OwnedSemaphorePermit,
}

#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("the time of the call ran out")]
    Time,
    #[error("the agent broke off")]
    Agent(#[source] hyper::Error),
}

fn passed_on(answer: hyper::Response<hyper::body::Incoming>, running: Running) -> Response {
    let (head, body) = answer.into_parts();
    let is_events = is_events(&head.headers);
    let chunks = futures_util::stream::unfold(Some((body, running)), move |state| async move {
        let (mut body, running) = state?;
        match tokio::time::timeout_at(running.until, next(&mut body)).await {
            Ok(None) => None,
            Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some((body, running)))),
            Ok(Some(Err(error))) => Some((Err(Cut::Agent(error)), None)),
            Err(_) => {
                warn!(seconds = running.budget.as_secs(), "the time of a call through control ran out");
                let comment = format!("\n: mesh-proxy-timeout budget={}s\n\n", running.budget.as_secs());
                Some((if is_events { Ok(Bytes::from(comment)) } else { Err(Cut::Time) }, None))
            }
        }
    });
    let mut response = Response::new(Body::from_stream(chunks.boxed()));
    *response.status_mut() = head.status;
    let fields = head.headers.iter().filter(|(name, _)| !KEPT.contains(name));
    response.headers_mut().extend(fields.map(|(name, value)| (name.clone(), value.clone())));
    response
}

/// The next bytes of a body; trailers are not passed on.
async fn next(body: &mut hyper::body::Incoming) -> Option<Result<Bytes, hyper::Error>> {
    loop {
        match body.frame().await? {
            Ok(frame) => {
                if let Ok(bytes) = frame.into_data() {
                    return Some(Ok(bytes));
                }
            }
            Err(error) => return Some(Err(error)),
        }
    }
}

fn is_events(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/event-stream")
}
