//! Errors as RFC 9457 problem+json, with a hint at what to do.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use outrigger_model::resource::Serial;
use serde::Serialize;

use crate::publish::publisher::ViewError;
use crate::watch::feeds::FeedError;
use crate::writer::NotApplied;

/// One error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    pub title: &'static str,
    pub detail: String,
    pub hint: &'static str,
}

#[derive(Serialize)]
struct Body<'a> {
    title: &'static str,
    status: u16,
    detail: &'a str,
    hint: &'static str,
}

impl Problem {
    pub fn bad_query(detail: impl Into<String>, hint: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, title: "the query cannot be understood", detail: detail.into(), hint }
    }

    pub fn bad_body(detail: impl Into<String>, hint: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, title: "the body cannot be understood", detail: detail.into(), hint }
    }

    /// The store did not answer. Its error is for the log, not for clients.
    pub fn store() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "the store does not answer",
            detail: "what is asked for is kept in the store only".to_owned(),
            hint: "see control's log; everything else goes on meanwhile",
        }
    }

    /// Something is to be changed, and another control does that.
    pub fn not_leading(detail: String) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "another control leads",
            detail,
            hint: "ask the one that leads: GET /v1/leader says where it is; in a moment without a leader, try again",
        }
    }

    pub fn stopping() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "control is stopping",
            detail: "it takes no more questions".to_owned(),
            hint: "try again when it is back",
        }
    }

    /// A view that cannot be read now, or that cannot be.
    pub fn no_view(error: &FeedError) -> Self {
        let status = match error {
            FeedError::View(ViewError::Build(_)) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        let hint = "share the needs of another reader, or try again later";
        Self { status, title: "this view cannot be read", detail: error.to_string(), hint }
    }

    pub fn many_readers(detail: String) -> Self {
        let title = "too many readers";
        let hint = "end one that is not needed, or watch over gRPC as a proxy does";
        Self { status: StatusCode::SERVICE_UNAVAILABLE, title, detail, hint }
    }

    /// `kept` is never empty, and begins with the oldest.
    pub fn not_kept(serial: u64, kept: &[Serial]) -> Self {
        let is_past = kept.first().is_some_and(|oldest| serial < oldest.0);
        let listed = kept.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Self {
            status: if is_past { StatusCode::GONE } else { StatusCode::NOT_FOUND },
            title: if is_past {
                "this snapshot is no longer kept"
            } else {
                "this view has no snapshot with this serial"
            },
            detail: format!("serial {serial}; kept are {listed}"),
            hint: "leave `at` out for the newest; a view has the serials at which something in it changed",
        }
    }

    pub fn not_shown() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            title: "the snapshot cannot be shown",
            detail: "a resource in it cannot be written as JSON".to_owned(),
            hint: "see control's log; proxies are not affected",
        }
    }

    pub fn no_new_key(detail: String) -> Self {
        Self {
            status: StatusCode::CONFLICT,
            title: "no new key can be made now",
            detail,
            hint: "see `session_key_turned` in `outrigger get events`, and try again later",
        }
    }

    /// A web page wants something changed.
    pub fn foreign_origin() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            title: "web pages may not change anything",
            detail: "the request has an Origin, which browsers write".to_owned(),
            hint: "use `outrigger`, or a client that sends no Origin",
        }
    }

    /// A browser was sent here under a name that is not ours (DNS rebinding).
    pub fn foreign_host() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            title: "this host name is not served",
            detail: "the Host header names neither an address nor localhost".to_owned(),
            hint: "ask by address, such as http://127.0.0.1:8000; with `insecure: true` any name is served",
        }
    }

    pub fn unknown_path(path: &str) -> Self {
        let path: String = path.chars().take(128).collect();
        Self {
            status: StatusCode::NOT_FOUND,
            title: "there is nothing at this path",
            detail: path,
            hint: "see /v1/agents, /v1/capabilities, /v1/routes, /v1/proxies, /v1/snapshot, /v1/snapshots, /v1/watch, /v1/events, /v1/explain, /v1/leader, /v1/sessions/revocations, /v1/session-keys, /v1/stock, /v1/history, /v1/rollouts/current",
        }
    }
}

impl From<NotApplied> for Problem {
    fn from(cause: NotApplied) -> Self {
        match cause {
            NotApplied::NotLeading(not_leading) => Self::not_leading(not_leading.to_string()),
            NotApplied::Stopped(_) => Self::stopping(),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_query(rejection.body_text(), "`limit` and `after` are whole numbers")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body { title: self.title, status: self.status.as_u16(), detail: &self.detail, hint: self.hint };
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
