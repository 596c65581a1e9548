//! The tools of one session: its own count, and the name of the process that keeps it.
//!
//! In: tool calls of one MCP session. Out: text that says which replica answered and how far this session has counted.
//! Never here: anything about proxies or other replicas; the agent believes it is alone.
//! Invariant: a count lives in one session of one process, so it is lost with either.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{Implementation, ProgressNotificationParam, RequestMetaObject, ServerCapabilities, ServerConfig};
use rmcp::service::Peer;
use rmcp::{RoleServer, ServerHandler, tool, tool_handler, tool_router};

/// Most steps of one `slow_count`; with the longest pause a call lasts at most ten minutes.
const STEPS_MAX: u32 = 60;
const PAUSE_MILLIS_MAX: u64 = 10_000;

/// One session of the agent.
#[derive(Clone)]
pub struct Counter {
    name: Arc<str>,
    count: Arc<AtomicU64>,
}

/// What `slow_count` takes.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
pub struct SlowCount {
    /// How far to count, at most 60.
    steps: u32,
    /// Pause before each step in milliseconds, 200 if left out, at most 10000.
    pause_ms: Option<u64>,
}

#[tool_router]
impl Counter {
    /// A session that has not counted yet, kept by the replica called `name`.
    pub fn new(name: Arc<str>) -> Self {
        Self { name, count: Arc::default() }
    }

    /// Adds one to the count of this session and tells it.
    #[tool(annotations(
        title = "Count on",
        read_only_hint = false,
        destructive_hint = false,
        idempotent_hint = false,
        open_world_hint = false
    ))]
    async fn increment(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        format!("{} counts {count}", self.name)
    }

    /// Tells the name of the replica that answers.
    #[tool(annotations(title = "Who answers", read_only_hint = true, open_world_hint = false))]
    async fn whoami(&self) -> String {
        self.name.to_string()
    }

    /// Counts slowly and reports progress after each step.
    #[tool(annotations(title = "Count slowly", read_only_hint = true, open_world_hint = false))]
    async fn slow_count(
        &self,
        Parameters(SlowCount { steps, pause_ms }): Parameters<SlowCount>,
        meta: RequestMetaObject,
        client: Peer<RoleServer>,
    ) -> String {
        let steps = steps.min(STEPS_MAX);
        let pause = Duration::from_millis(pause_ms.unwrap_or(200).min(PAUSE_MILLIS_MAX));
        for step in 1..=steps {
            tokio::time::sleep(pause).await;
            let Some(token) = meta.get_progress_token() else { continue };
            let progress = ProgressNotificationParam::new(token, f64::from(step)).with_total(f64::from(steps));
            // A client that has gone away hears nothing of it; the count goes on so that its answer can be resumed.
            let _ = client.notify_progress(progress).await;
        }
        format!("{} counted to {steps}", self.name)
    }
}

#[tool_handler]
impl ServerHandler for Counter {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("counter", env!("CARGO_PKG_VERSION")))
            .with_instructions("Counts, separately for each session. `increment` goes on from where the session is.")
    }
}
