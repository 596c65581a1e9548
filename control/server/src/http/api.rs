//! What the handlers share, and the forms that several answers have in common.

use std::sync::Arc;

use prometheus_client::registry::Registry;
use serde::Serialize;

use crate::authn::Plaintext;
use crate::discovery::watchers::Watchers;
use crate::intent::desk::Desk;
use crate::lifecycle::Lifecycle;
use crate::publish::publisher::Views;
use crate::rollout::desk::Rollouts;
use crate::stock::guests::Guests;
use crate::store::AnyStore;
use crate::telemetry::metrics::Metrics;
use crate::watch::feeds::Feeds;
use crate::writer::Writer;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    pub writer: Writer,
    pub store: AnyStore,
    pub desk: Desk,
    pub rollouts: Rollouts,
    pub views: Views,
    pub watchers: Watchers,
    pub feeds: Feeds,
    pub guests: Guests,
    pub lifecycle: Lifecycle,
    pub metrics: Metrics,
    pub registry: Arc<Registry>,
    pub plaintext: Plaintext,
}

/// `{"items": […]}`.
#[derive(Debug, Serialize)]
pub struct Items<T> {
    pub items: Vec<T>,
}

pub fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}
