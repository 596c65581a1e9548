//! The peers without a mesh: what the official SDKs do with each other is what they must do through us.

use anyhow::Result;
use outrigger_tests::peers::{Agent, Client, ClientSdk, Sdk};

const AGENTS: [Sdk; 4] = [Sdk::Python, Sdk::FastMcp, Sdk::Everything, Sdk::Rust];
const LEGACY: [ClientSdk; 2] = [ClientSdk::PythonLegacy, ClientSdk::TypeScriptLegacy];

#[tokio::test]
async fn every_client_keeps_a_session_with_every_agent() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for sdk in AGENTS {
        let agent = Agent::start(sdk, &format!("{sdk:?}-1"), folder.path()).await?;
        for client in LEGACY {
            let mut client = Client::start(client, &agent.url(), &format!("{client:?}-{sdk:?}"), folder.path())?;
            assert_eq!(client.open("first").await?, "2025-11-25");
            for _ in 0..3 {
                let text = client.call("first", agent.tool()).await?;
                assert_eq!(sdk.replica_in(&text)?, agent.name);
            }
            assert!(client.tools("first").await?.contains(agent.tool()));
            client.close("first").await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_newest_revision_is_spoken_where_both_sides_know_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for sdk in [Sdk::Python, Sdk::FastMcp] {
        let agent = Agent::start(sdk, &format!("{sdk:?}-1"), folder.path()).await?;
        for client in [ClientSdk::PythonAuto, ClientSdk::TypeScriptAuto] {
            let mut client = Client::start(client, &agent.url(), &format!("{client:?}-{sdk:?}"), folder.path())?;
            assert_eq!(client.open("only").await?, "2026-07-28", "{sdk:?}");
            assert!(client.call("only", "increment").await?.starts_with(&agent.name));
        }
    }
    Ok(())
}
