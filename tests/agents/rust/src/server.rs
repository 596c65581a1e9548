//! The server: every tool, prompt and resource that the suite asks for, in the sessions of 2025-11-25 and without any.
//!
//! In: `PORT`. Out: streamable HTTP on `127.0.0.1:<port>/mcp`, and one line when it listens.
//! Never here: what a tool answers; that is the modules below, and the table `offers.json`.
//! Invariant: what outlives a request is in one [`state::Shared`] of this process, so it is lost with the process.

mod offers;
mod state;
mod questions;
mod rounds;
mod speaking;
mod jobs;
mod agent;

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use agent::ConformanceAgent;
use state::Shared;

/// Origins of pages that this machine serves itself; every other page is refused.
const ORIGINS: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];

/// Serves until the process is ended.
pub async fn serve() -> anyhow::Result<()> {
    let port: u16 = std::env::var("PORT").unwrap_or_default().parse().context("PORT is no port number")?;
    let shared = Arc::new(Shared::new()?);
    // Foreign hosts are refused by default.
    let config = StreamableHttpServerConfig::default().with_allowed_origins(ORIGINS).with_legacy_session_mode(true);
    let agent: StreamableHttpService<ConformanceAgent, LocalSessionManager> =
        StreamableHttpService::new(move || Ok(ConformanceAgent::new(shared.clone())), Arc::default(), config);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    writeln!(std::io::stdout(), "conformance-server listens on http://{address}/mcp")?;
    axum::serve(listener, axum::Router::new().route_service("/mcp", agent)).await?;
    Ok(())
}
