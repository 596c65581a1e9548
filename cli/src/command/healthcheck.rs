//! `outrigger healthcheck`: whether a server says that it is ready.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::args::Healthcheck;
use crate::http::{read, send};
use crate::output::say;
use crate::problem::Problem;

const WITHIN: Duration = Duration::from_secs(3);
const PATH: &str = "/healthz/ready";

pub async fn run(check: Healthcheck) -> Result<(), Problem> {
    let origin = check.address;
    let unasked = |cause: Box<dyn std::error::Error + Send + Sync>| {
        Problem::failed("not ready")
            .because(cause)
            .next("name the health listener of the proxy, or control's HTTP address: outrigger healthcheck ADDRESS")
    };
    let request = Request::get(PATH).body(Full::<Bytes>::default()).map_err(|cause| unasked(cause.into()))?;
    let answer = send(&origin, request, WITHIN).await.map_err(|cause| unasked(cause.into()))?;
    let status = answer.status();
    let body = read(&origin, answer.into_body()).await.map_err(|cause| unasked(cause.into()))?;
    if status.is_success() {
        return say("ready");
    }
    let why: String = String::from_utf8_lossy(&body).chars().take(500).collect();
    Err(Problem::failed(format!("not ready: {origin}{PATH} answered {status}: {}", why.trim())))
}
