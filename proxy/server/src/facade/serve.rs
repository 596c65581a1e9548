//! One request to the registry, answered.
//!
//! In: a [`Request`]. Out: an [`Answer`], with the status that agents of mcp-mesh expect: they read no others as what they mean.

use http::StatusCode;
use outrigger_upstream::answer::refusal;
use outrigger_upstream::heartbeat::{BadHeartbeat, Heartbeat};
use outrigger_wire::time::rfc3339;
use serde_json::{Value, json};
use std::time::SystemTime;

use super::doors::Door;
use super::registry::Facade;
use crate::catalog::{Answer, Body};

/// What the registry calls itself, as meshctl expects it.
const SERVICE: &str = "mcp-mesh-registry";

/// A request that was read whole.
#[derive(Debug)]
pub struct Request<'a> {
    pub door: Door<'a>,
    pub body: Vec<u8>,
}

impl Facade {
    /// Whether a request that may be for the registry is; the others are refused as any path that is not known.
    pub fn has(&self, door: Door<'_>) -> bool {
        self.is_on || matches!(door, Door::Execute(_))
    }

    pub async fn serve(&self, Request { door, body }: Request<'_>) -> Answer {
        match door {
            Door::Heartbeat => match Heartbeat::read(&body) {
                Ok(heartbeat) => json_answer(StatusCode::OK, &self.register(heartbeat).await),
                Err(bad) => unreadable(&bad),
            },
            Door::Pulse(id) => Answer::empty(self.pulse(id)),
            Door::Leave(id) => {
                self.leave(id);
                Answer::empty(StatusCode::NO_CONTENT)
            }
            Door::Claim => json_answer(StatusCode::OK, &json!({ "claimed": [] })),
            Door::Jobs => said(
                StatusCode::NOT_IMPLEMENTED,
                "jobs are not kept by this registry",
                "call the tool itself, or submit jobs to a registry of mcp-mesh",
            ),
            Door::Control => said(
                StatusCode::NOT_IMPLEMENTED,
                "this is the registry of the agents beside one proxy, which knows no others",
                "ask the control service: the same paths are at its HTTP address",
            ),
            Door::Health => json_answer(StatusCode::OK, &self.health()),
            Door::Front => json_answer(
                StatusCode::OK,
                &json!({
                    "service": SERVICE, "status": "running", "version": env!("CARGO_PKG_VERSION"),
                    "endpoints": ["/health", "/heartbeat", "/agents"],
                }),
            ),
            Door::Method => said(
                StatusCode::METHOD_NOT_ALLOWED,
                "the registry has no such method at this path",
                "see docs/mcp-mesh.md",
            ),
            Door::Execute(service) => self.execute(service, &body).await,
        }
    }

    fn health(&self) -> Value {
        json!({
            "service": SERVICE, "status": "healthy", "version": env!("CARGO_PKG_VERSION"),
            "uptime_seconds": self.began.elapsed().as_secs(), "timestamp": now(),
        })
    }
}

/// What agents of mcp-mesh are answered whose heartbeat is none.
fn unreadable(bad: &BadHeartbeat) -> Answer {
    let status = match bad {
        BadHeartbeat::Large(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BadHeartbeat::Json(_) | BadHeartbeat::NoId => StatusCode::BAD_REQUEST,
        BadHeartbeat::Field { id, .. } => return json_answer(StatusCode::OK, &refusal(id, &bad.to_string(), &now())),
    };
    json_answer(status, &json!({ "error": bad.to_string(), "timestamp": now() }))
}

pub(super) fn said(status: StatusCode, error: &str, hint: &str) -> Answer {
    json_answer(status, &json!({ "error": error, "hint": hint }))
}

pub(super) fn json_answer(status: StatusCode, value: &Value) -> Answer {
    Answer { status, headers: Vec::new(), body: Body::Json(value.to_string()) }
}

fn now() -> String {
    rfc3339(SystemTime::now())
}
