//! `GET /v1/watch?types=&bodies=&needs=&since=`: every change of every snapshot, as server-sent events or as lines of JSON.
//!
//! In: where the reader is (`Last-Event-ID`, or `since` for those that cannot write headers). Out: a body that ends when control does.
//! Invariant: a reader is told what leads to the newest snapshot when its connection takes more, and nothing waits for it
//! until then, so a slow one is told fewer and larger changes.

mod form;
mod query;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use outrigger_wire::json::{BadBytes, Schema};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::publish::view::Published;
use crate::telemetry::metrics::Metrics;
use crate::watch::cursor::Cursor;
use crate::watch::feed::Feed;
use outrigger_model::position::Position;

use form::Form;
use query::Asked;

/// Something is written at least this often, so that both ends notice when the other is gone.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(15);
/// How long a reader of events is to wait before it comes again.
const RETRY: &str = "retry: 2000\n\n";

pub async fn follow(
    State(api): State<Api>,
    headers: HeaderMap,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(pairs) = pairs?;
    let Asked { filter, scope, start, form } = query::read(&pairs, &headers)?;
    let place = api.feeds.place().map_err(|full| Problem::many_readers(full.to_string()))?;
    let feed = api.feeds.open(scope).await.map_err(|bad| Problem::no_view(&bad))?;
    let mut sign = interval(SIGN_OF_LIFE_EVERY);
    sign.set_missed_tick_behavior(MissedTickBehavior::Delay);
    sign.reset();
    api.metrics.watch_readers.inc();
    let reader = Reader {
        editions: feed.follow(),
        feed,
        cursor: Cursor::new(filter, start),
        form,
        schema: Arc::clone(api.feeds.schema()),
        sign,
        told: None,
        has_begun: false,
        stopping: api.lifecycle.stopping().clone(),
        metrics: api.metrics,
        _place: place,
    };
    let pieces = stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        match reader.next().await {
            Ok(piece) => piece.map(|piece| (Ok(piece), Some(reader))),
            Err(bad) => {
                warn!(%bad, "a snapshot cannot be shown to a reader");
                Some((Err(bad), None))
            }
        }
    });
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static(form.content_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Ok((head, Body::from_stream(pieces)).into_response())
}

struct Reader {
    feed: Arc<Feed>,
    editions: watch::Receiver<Published>,
    cursor: Cursor,
    form: Form,
    schema: Arc<Schema>,
    sign: Interval,
    /// Where it was told last that it is.
    told: Option<Position>,
    has_begun: bool,
    stopping: CancellationToken,
    metrics: Metrics,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    /// The next piece of the body; none: it ends.
    async fn next(&mut self) -> Result<Option<String>, BadBytes> {
        loop {
            let newest = Arc::clone(&self.editions.borrow_and_update().edition);
            let said = self.cursor.next(&newest, |from| self.feed.steps(from, newest.serial));
            if let Some(say) = said {
                self.sign.reset();
                self.told = self.cursor.position().or(self.told);
                let text = self.form.say(&say, self.cursor.filter().bodies, &self.schema)?;
                return Ok(Some(self.begun(text)));
            }
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Ok(None),
                changed = self.editions.changed() => if changed.is_err() {
                    return Ok(None);
                },
                _ = self.sign.tick() => return Ok(Some(self.sign_of_life())),
            }
        }
    }

    fn begun(&mut self, text: String) -> String {
        if std::mem::replace(&mut self.has_begun, true) || self.form != Form::Events {
            return text;
        }
        format!("{RETRY}{text}")
    }

    /// Where nothing was of interest, the reader still moves on: otherwise it could not go on from there for long.
    fn sign_of_life(&mut self) -> String {
        let position = self.cursor.position();
        let moved = position.filter(|_| position != self.told);
        self.told = position;
        self.form.sign_of_life(moved)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.metrics.watch_readers.dec();
    }
}
