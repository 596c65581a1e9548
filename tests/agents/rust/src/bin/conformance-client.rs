//! The conformance client as a process: the URL is its last argument, the scenario comes by the environment.

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    conformance_agents::client::visit().await
}
