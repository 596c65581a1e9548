//! How a request is refused: as mcp-mesh does it, so that its agents and tools understand.
//!
//! Out: `{"error": …, "timestamp": …}` with a status, or 200 with `"status": "error"` where the registration means what cannot be.
//! Never here: what is refused.

use std::time::SystemTime;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use outrigger_upstream::answer;
use outrigger_upstream::heartbeat::BadHeartbeat;
use outrigger_wire::time::rfc3339;
use serde_json::json;

use crate::writer::{NotApplied, NotLeading};

/// Why there is no other answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    Status {
        status: StatusCode,
        error: String,
        /// What to do instead; empty: it is in the error.
        hint: &'static str,
    },
    /// The agent is told in a body, and tries again later.
    Meaning { id: String, message: String },
}

impl Refused {
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self::Status { status, error: error.into(), hint: "" }
    }

    pub fn hinted(status: StatusCode, error: impl Into<String>, hint: &'static str) -> Self {
        Self::Status { status, error: error.into(), hint }
    }

    pub fn meaning(id: impl ToString, message: impl Into<String>) -> Self {
        Self::Meaning { id: id.to_string(), message: message.into() }
    }

    pub fn stopping() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "control is stopping")
    }
}

impl From<NotLeading> for Refused {
    fn from(not_leading: NotLeading) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, not_leading.to_string())
    }
}

impl From<NotApplied> for Refused {
    fn from(cause: NotApplied) -> Self {
        match cause {
            NotApplied::NotLeading(not_leading) => not_leading.into(),
            NotApplied::Stopped(_) => Self::stopping(),
        }
    }
}

impl From<BadHeartbeat> for Refused {
    fn from(bad: BadHeartbeat) -> Self {
        let message = bad.to_string();
        match bad {
            BadHeartbeat::Large(_) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, message),
            BadHeartbeat::Json(_) | BadHeartbeat::NoId => Self::new(StatusCode::BAD_REQUEST, message),
            BadHeartbeat::Field { id, .. } => Self::meaning(id, message),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let timestamp = now();
        match self {
            Self::Status { status, error, hint: "" } => {
                (status, Json(json!({ "error": error, "timestamp": timestamp }))).into_response()
            }
            Self::Status { status, error, hint } => {
                (status, Json(json!({ "error": error, "hint": hint, "timestamp": timestamp }))).into_response()
            }
            Self::Meaning { id, message } => Json(answer::refusal(&id, &message, &timestamp)).into_response(),
        }
    }
}

/// As it stands in answers.
pub fn now() -> String {
    rfc3339(SystemTime::now())
}
