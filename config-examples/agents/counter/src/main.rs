//! An MCP agent that keeps state per session, built with the official Rust SDK and nothing else.
//!
//! In: `--port` and `--name`. Out: streamable HTTP on `127.0.0.1:<port>/mcp`, and one line when it listens.
//! Never here: Outrigger. The agent shows that nothing needs to be changed to take part in a mesh.

mod counter;

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;

use clap::Parser;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use counter::Counter;

/// Counts over MCP, separately for each session.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8081)]
    port: u16,
    /// What `whoami` answers.
    #[arg(long, default_value = "counter-1")]
    name: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Args { port, name } = Args::parse();
    let session_name: Arc<str> = Arc::from(name.as_str());
    let mut config = StreamableHttpServerConfig::default();
    config.legacy_session_mode = true;
    let agent: StreamableHttpService<Counter, LocalSessionManager> =
        StreamableHttpService::new(move || Ok(Counter::new(session_name.clone())), Arc::default(), config);

    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    writeln!(std::io::stdout(), "{name} listens on http://{address}/mcp")?;
    axum::serve(listener, axum::Router::new().route_service("/mcp", agent)).await?;
    Ok(())
}
