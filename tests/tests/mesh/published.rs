//! Peers as they are published: what works with one directly works through a proxy on each side, with several replicas.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use outrigger_tests::fleet::Fleet;
use outrigger_tests::peers::{Agent, Client, ClientSdk, Sdk};
use outrigger_tests::published::{Kind, Replicas, inspect, remote_command, tour_everything};
use serde_json::json;

/// So many sessions that all of them on one of three replicas is no chance.
const SESSIONS: usize = 9;

#[tokio::test]
async fn server_everything_does_through_the_mesh_what_it_does_directly() -> Result<()> {
    let fleet = Fleet::start(Sdk::Everything).await?;
    let folder = fleet.mesh.folder();
    let alone = Agent::start(Sdk::Everything, "alone", folder).await?;
    let mut direct = tour_everything(&alone.url(), "anna", folder).await?;
    assert_eq!(direct["progress"], json!(["1/3", "2/3", "3/3"]));
    assert_eq!(direct["asked"], json!({"sampling": 1, "elicitation": 1, "roots": true}));
    assert_eq!(direct["updated"], true, "the GET stream brings what was subscribed to");

    let url = fleet.url();
    let [anna, ben, cleo] = ["anna", "ben", "cleo"].map(|name| tour_everything(&url, name, folder));
    let (anna, ben, cleo) = tokio::try_join!(anna, ben, cleo)?;
    for (name, mut tour) in [("anna", anna), ("ben", ben), ("cleo", cleo)] {
        assert_eq!(tour["replicas"][0], tour["replicas"][1], "{name}: a session moved");
        assert_eq!(tour["echo"], format!("Echo: {name}"));
        for report in [&mut tour, &mut direct] {
            let report = report.as_object_mut().context("a report is an object")?;
            report.remove("replicas");
            report.remove("echo");
        }
        assert_eq!(tour, direct, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn fastmcp_clients_of_both_eras_find_their_fastmcp_agent() -> Result<()> {
    let fleet = Fleet::start(Sdk::FastMcp).await?;
    for (sdk, revision) in [(ClientSdk::FastMcpAuto, "2026-07-28"), (ClientSdk::FastMcpLegacy, "2025-11-25")] {
        let mut client = Client::start(sdk, &fleet.url(), &format!("{sdk:?}"), fleet.mesh.folder())?;
        let mut used = BTreeSet::new();
        for session in 0..SESSIONS {
            let name = format!("session-{session}");
            assert_eq!(client.open(&name).await?, revision);
            assert_eq!(client.tools(&name).await?, "increment,whoami");
            let first = fleet.sdk.replica_in(&client.call(&name, "increment").await?)?;
            for _ in 0..2 {
                assert_eq!(client.call(&name, "whoami").await?, first, "{sdk:?}: {name} moved");
            }
            client.close(&name).await?;
            used.insert(first);
        }
        // Without sessions an agent's calls stay together; with them each session finds a place of its own.
        assert_eq!(used.len() > 1, sdk == ClientSdk::FastMcpLegacy, "{sdk:?}: {used:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_stdio_server_behind_a_stateful_bridge_keeps_each_session_with_its_child() -> Result<()> {
    let own_folder = |folder: &Path, name: &str| {
        let own = folder.join(format!("{name}-files"));
        std::fs::create_dir(&own)?;
        std::fs::write(own.join("name.txt"), name)?;
        Ok(own.display().to_string())
    };
    let replicas = Replicas::start(Kind::Filesystem, &["files-1", "files-2", "files-3"], own_folder).await?;
    let mut used = BTreeSet::new();
    for sdk in [ClientSdk::PythonLegacy, ClientSdk::TypeScriptLegacy, ClientSdk::FastMcpLegacy] {
        let mut client = Client::start(sdk, &replicas.url(), &format!("{sdk:?}"), replicas.mesh.folder())?;
        for session in 0..SESSIONS / 3 {
            let name = format!("session-{session}");
            client.open(&name).await?;
            let allowed = client.call(&name, "list_allowed_directories").await?;
            let own = allowed.lines().last().context("no directory is allowed")?.trim().to_owned();
            for turn in 0..2 {
                let note = format!("{own}/{sdk:?}-{session}-{turn}.txt");
                client.call_with(&name, "write_file", json!({"path": note, "content": name})).await?;
                let read = client.call_with(&name, "read_text_file", json!({"path": note})).await?;
                assert_eq!(read, name, "{sdk:?}: another replica may not write there");
            }
            client.close(&name).await?;
            used.insert(own);
        }
    }
    assert!(used.len() > 1, "all sessions on {used:?}");
    Ok(())
}

#[tokio::test]
async fn a_stdio_server_behind_a_stateless_bridge_answers_from_every_replica() -> Result<()> {
    let one_memory = |folder: &Path, _: &str| Ok(folder.display().to_string());
    let replicas = Replicas::start(Kind::Memory, &["memory-1", "memory-2"], one_memory).await?;
    for sdk in [ClientSdk::PythonLegacy, ClientSdk::TypeScriptLegacy] {
        let mut client = Client::start(sdk, &replicas.url(), &format!("{sdk:?}"), replicas.mesh.folder())?;
        client.open("first").await?;
        let entity = json!({"name": format!("{sdk:?}"), "entityType": "client", "observations": ["was here"]});
        client.call_with("first", "create_entities", json!({"entities": [entity]})).await?;
        client.open("second").await?;
        let graph = client.call("second", "read_graph").await?;
        assert!(graph.contains(&format!("{sdk:?}")), "{graph}");
    }
    Ok(())
}

#[tokio::test]
async fn a_stdio_client_reaches_the_mesh_through_mcp_remote() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let folder = fleet.mesh.folder();
    let command = remote_command(&fleet.url(), folder)?;
    let mut client = Client::start(ClientSdk::PythonStdio, &command, "remote", folder)?;
    assert_eq!(client.open("only").await?, "2025-11-25");
    assert!(client.tools("only").await?.contains("increment"));
    let home = client.call("only", "whoami").await?;
    for turn in 1..=3 {
        assert_eq!(client.call("only", "increment").await?, format!("{home} counts {turn}"));
    }
    let slow = client.call_with("only", "slow_count", json!({"steps": 3, "pause_ms": 20})).await?;
    assert_eq!(slow, format!("{home} counted to 3"));
    client.close("only").await?;
    Ok(())
}

const INSPECTIONS: [&[&str]; 6] = [
    &["--method", "tools/list"],
    &["--method", "tools/call", "--tool-name", "greet", "--tool-arg", "name=Ada"],
    &["--method", "resources/list"],
    &["--method", "resources/read", "--uri", "test://template/7/data"],
    &["--method", "prompts/list"],
    &["--method", "prompts/get", "--prompt-name", "test_simple_prompt"],
];

async fn the_inspector_sees_the_same(era: &[&str]) -> Result<()> {
    let none = |folder: &Path, _: &str| Ok(folder.display().to_string());
    let replicas = Replicas::start(Kind::Conformance, &["rust-1", "rust-2"], none).await?;
    let folder = replicas.mesh.folder();
    for method in INSPECTIONS {
        let words: Vec<&str> = method.iter().chain(era).copied().collect();
        let direct = inspect(&replicas.servers[0].url, &words, folder).await?;
        assert_eq!(inspect(&replicas.url(), &words, folder).await?, direct, "{words:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_inspector_sees_through_the_mesh_what_it_sees_directly() -> Result<()> {
    the_inspector_sees_the_same(&[]).await
}

#[tokio::test]
async fn the_inspector_of_2026_sees_through_the_mesh_what_it_sees_directly() -> Result<()> {
    the_inspector_sees_the_same(&["--protocol-era", "modern"]).await
}
