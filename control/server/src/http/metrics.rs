//! `/metrics`: everything that is counted, in the OpenMetrics text form.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::writer::Storing;

pub async fn scrape(State(api): State<Api>) -> Result<Response, Problem> {
    let is_failing = matches!(*api.writer.storing().borrow(), Storing::Failing { .. });
    api.metrics.store_failing.set(i64::from(is_failing));
    let mut text = String::new();
    // Writing into a string fails only if a metric cannot be written at all, which the tests would show.
    prometheus_client::encoding::text::encode(&mut text, &api.registry).map_err(|_| Problem::stopping())?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
