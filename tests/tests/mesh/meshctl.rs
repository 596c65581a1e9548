//! `meshctl` of mcp-mesh, as published, against control: it lists, shows, explains and calls agents with a proxy and without.

use ::http::Method;
use anyhow::{Context, Result, ensure};
use outrigger_tests::http::{self, get};
use outrigger_tests::mesh::{Mesh, Shape};
use outrigger_tests::peers::{Agent, Sdk, installed};
use outrigger_tests::wait;
use serde_json::{Value, json};
use tokio::process::Command;

const MESHCTL: &str = "meshctl/node_modules/@mcpmesh/cli-linux-x64/bin/meshctl";

/// Runs it against a control; answers with what it printed.
async fn meshctl(mesh: &Mesh, words: &[&str]) -> Result<String> {
    let mut command = Command::new(installed(MESHCTL)?);
    let registry = format!("http://{}", mesh.control_http());
    command.args(words).args(["--registry-url", &registry]).current_dir(mesh.folder());
    // What it keeps of a user's own goes into the folder of the test.
    command.env("HOME", mesh.folder()).kill_on_drop(true);
    let done = tokio::time::timeout(wait::DEADLINE, command.output()).await.context("meshctl does not end")??;
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    ensure!(done.status.success(), "meshctl {}: {}\n{out}{err}", words.join(" "), done.status);
    Ok(out.into_owned())
}

/// As an agent of mcp-mesh registers itself that no proxy stands beside.
async fn register(mesh: &Mesh, body: Value) -> Result<Value> {
    let url = format!("http://{}/heartbeat", mesh.control_http());
    let reply = http::send(Method::POST, &url, &[("content-type", "application/json")], body.to_string()).await?;
    let answer = reply.json()?;
    ensure!(answer["status"] == "success", "{answer}");
    Ok(answer)
}

fn port(url: &str) -> Result<u16> {
    let port = url.rsplit(':').next().and_then(|rest| rest.split('/').next());
    Ok(port.context("no port")?.parse()?)
}

fn counter(id: &str, agent: &Agent) -> Result<Value> {
    let tool = |name: &str| json!({"function_name": name, "capability": name, "version": "1.0.0", "tags": ["count"]});
    Ok(json!({
        "agent_id": id, "name": "counter", "agent_type": "mcp_agent", "version": "1.0.0", "http_host": "127.0.0.1",
        "http_port": port(&agent.url())?, "namespace": "default", "runtime": "python",
        "tools": [tool("increment"), tool("whoami")],
    }))
}

#[tokio::test]
async fn meshctl_lists_shows_and_calls_agents_that_no_proxy_stands_beside() -> Result<()> {
    let mut mesh = Mesh::new().await?.declaring("relay: true\n");
    mesh.start_control().await?;
    let agent = Agent::start(Sdk::Handles, "counter-1", mesh.folder()).await?;
    register(&mesh, counter("counter-1", &agent)?).await?;
    let consumer = json!({
        "agent_id": "reader-1", "name": "reader", "http_host": "127.0.0.1", "http_port": 9, "runtime": "python",
        "tools": [{"function_name": "read", "capability": "read", "dependencies": [
            {"capability": "increment", "tags": ["count"]}, {"capability": "nosuch", "required": true},
        ]}],
    });
    register(&mesh, consumer).await?;

    let listed = meshctl(&mesh, &["list"]).await?;
    for shown in ["counter-1", "reader-1", "healthy"] {
        assert!(listed.to_lowercase().contains(shown), "{shown}: {listed}");
    }
    let listed: Value = serde_json::from_str(&meshctl(&mesh, &["list", "--json"]).await?)?;
    let agents = listed["agents"].as_array().context("agents")?;
    let reader = agents.iter().find(|agent| agent["id"] == "reader-1").context("reader-1")?;
    assert_eq!((&reader["dependencies_resolved"], &reader["dependencies_total"]), (&1.into(), &2.into()), "{reader}");
    let shown = meshctl(&mesh, &["status", "reader-1"]).await?;
    let provider = format!("127.0.0.1:{}", port(&agent.url())?);
    assert!(shown.contains("increment") && shown.contains(&provider) && shown.contains("NOT FOUND"), "{shown}");

    let called = meshctl(&mesh, &["call", "counter-1:increment", r#"{"session_id": "a"}"#]).await?;
    assert!(called.contains("counter-1 counts 1"), "{called}");
    let called = meshctl(&mesh, &["call", "increment", r#"{"session_id": "a"}"#]).await?;
    assert!(called.contains("counter-1 counts 2"), "{called}");
    Ok(())
}

#[tokio::test]
async fn meshctl_calls_an_agent_behind_its_proxy_over_mtls_if_operators_allow_it() -> Result<()> {
    let mut mesh = Mesh::new().await?.declaring("relay: true\n");
    mesh.start_control().await?;
    let agent = Agent::start(Sdk::Handles, "weather-1", mesh.folder()).await?;
    let _proxy = mesh.start_proxy(&Shape::beside("weather", "weather-1", &agent.url())).await?;
    let url = format!("http://{}/agents", mesh.control_http());
    wait::until("the agent is listed with its tools", async || {
        let listed = get(&url).await?.json()?;
        ensure!(listed["agents"][0]["capabilities"].to_string().contains("whoami"), "{listed}");
        Ok(())
    })
    .await?;
    let called = meshctl(&mesh, &["call", "weather-1:whoami"]).await?;
    assert!(called.contains("weather-1"), "{called}");
    Ok(())
}
