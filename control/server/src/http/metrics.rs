//! `/metrics`: everything that is counted, in the OpenMetrics text form.

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::writer::Storing;

pub async fn scrape(State(api): State<Api>) -> Result<Response, Problem> {
    let storing = api.writer.storing().borrow().clone();
    let lag = match &storing {
        Storing::Fine => Duration::ZERO,
        Storing::Failing { since, .. } => since.elapsed().unwrap_or_default(),
    };
    api.metrics.store_failing.set(i64::from(storing != Storing::Fine));
    api.metrics.store_lag_seconds.set(i64::try_from(lag.as_secs()).unwrap_or(i64::MAX));
    let term = api.writer.reign().term();
    api.metrics.leading.set(i64::from(term.is_some()));
    api.metrics.term.set(term.and_then(|term| i64::try_from(term).ok()).unwrap_or(0));
    let mut text = String::new();
    // Writing into a string fails only if a metric cannot be written at all, which the tests would show.
    prometheus_client::encoding::text::encode(&mut text, &api.registry).map_err(|_| Problem::stopping())?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
