//! Refusals of the intent desk as problem+json, with the numbers and findings that a client goes on with.
//!
//! In: a [`Refusal`], or a request that is none. Out: a status, and members `current` and `findings` where there are any.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use outrigger_control_core::plan::finding::Finding;
use serde::Serialize;

use crate::http::problem::Problem;
use crate::intent::desk::Refusal;

/// One finding as it is shown.
#[derive(Debug, Serialize)]
pub struct FindingItem {
    severity: &'static str,
    kind: &'static str,
    path: String,
    detail: String,
}

/// A problem, and what to go on with.
#[derive(Debug)]
pub struct Refused {
    problem: Problem,
    /// The intent that runs.
    current: Option<u64>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Body {
    title: &'static str,
    status: u16,
    detail: String,
    hint: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingItem>,
}

pub fn items(findings: Vec<Finding>) -> Vec<FindingItem> {
    let item = |finding: Finding| FindingItem {
        severity: finding.severity().as_str(),
        kind: finding.kind.as_str(),
        path: finding.path,
        detail: finding.detail,
    };
    findings.into_iter().map(item).collect()
}

impl Refused {
    /// A change that does not say which intent it is about.
    pub fn unconditional(current: u64) -> Self {
        let problem = Problem {
            status: StatusCode::PRECONDITION_REQUIRED,
            title: "which intent this changes is not said",
            detail: format!("`If-Match` is missing or is not a number in quotes; intent {current} runs"),
            hint: "look at what runs, then send its number: If-Match: \"<number>\"",
        };
        Self { current: Some(current), ..problem.into() }
    }

    /// A body that is no such request. What it says is not repeated: it may hold secrets.
    pub fn body(rejection: &JsonRejection, hint: &'static str) -> Self {
        let status = rejection.status();
        let detail = match (rejection, status) {
            (_, StatusCode::PAYLOAD_TOO_LARGE) => "it is larger than a megabyte",
            (JsonRejection::MissingJsonContentType(_), _) => "its content-type is not application/json",
            (JsonRejection::JsonDataError(_), _) => "it has not the members that are needed, and no others",
            _ => "it is not JSON",
        };
        Self::from(Problem { status, ..Problem::bad_body(detail, hint) })
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self { problem, current: None, findings: Vec::new() }
    }
}

impl From<QueryRejection> for Refused {
    fn from(_: QueryRejection) -> Self {
        Problem::bad_query("`before` or `limit` is no number", "`limit` and `before` are whole numbers").into()
    }
}

impl From<PathRejection> for Refused {
    fn from(_: PathRejection) -> Self {
        Problem::bad_query("an intent is named by its number", "see /v1/history for the numbers").into()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        let of = |status, title, hint| Self::from(Problem { status, title, detail: text, hint });
        match refusal {
            Refusal::Signature(_) => of(
                StatusCode::BAD_REQUEST,
                "author and reason are needed",
                "say who changes this and why, in a line each",
            ),
            Refusal::Findings(findings) => {
                let hint = "see `findings`; POST /v1/plan shows them without publishing";
                Self { findings, ..of(StatusCode::UNPROCESSABLE_ENTITY, "the document cannot be published", hint) }
            }
            Refusal::Moved { current, .. } => {
                let hint = "look at what changed (GET /v1/diff/{yours}/{current}), then send the current number";
                Self { current: Some(current), ..of(StatusCode::PRECONDITION_FAILED, "another intent runs", hint) }
            }
            Refusal::NoIntent(_) => {
                of(StatusCode::NOT_FOUND, "there is no such intent", "see /v1/history for the numbers")
            }
            Refusal::NoneBefore(_) => of(StatusCode::CONFLICT, "there is nothing to go back to", "see /v1/history"),
            Refusal::NotStored => of(
                StatusCode::SERVICE_UNAVAILABLE,
                "the intent was not published",
                "see control's log for why the store fails; what runs goes on meanwhile",
            ),
            Refusal::Unread => Problem::store().into(),
            Refusal::Unpublished(_) => of(
                StatusCode::SERVICE_UNAVAILABLE,
                "the intent is not in a snapshot yet",
                "see /v1/events for why snapshots cannot be built; /v1/rollback goes back",
            ),
            Refusal::NotLeading(not_leading) => Problem::not_leading(not_leading.to_string()).into(),
            Refusal::Stopping => Problem::stopping().into(),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self { problem: Problem { status, title, detail, hint }, current, findings } = self;
        let body = Body { title, status: status.as_u16(), detail, hint, current, findings: items(findings) };
        let mut response = (status, Json(body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
