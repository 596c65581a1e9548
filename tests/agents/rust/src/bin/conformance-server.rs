//! The conformance server as a process: `PORT` (0 takes a free one) on 127.0.0.1, path `/mcp`.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    conformance_agents::server::serve().await
}
