//! What an operator sees: why, who runs what, what was counted; and what nobody is shown.

use anyhow::{Context, Result, ensure};
use outrigger_tests::fleet::{AGENT, Fleet, REPLICAS};
use outrigger_tests::http::{get, send};
use outrigger_tests::mcp::{self, Session};
use outrigger_tests::mesh::Shape;
use outrigger_tests::peers::{Agent, Sdk};
use outrigger_tests::wait;
use serde_json::Value;

#[tokio::test]
async fn explain_tells_who_won_and_why_the_others_lost() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let other = Agent::start(Sdk::Rust, "station-1", fleet.mesh.folder()).await?;
    let shape = Shape { node: "station-proxy".into(), ..Shape::calling("x", "agent/station") };
    let lines = format!(
        "agents:\n  - {{name: station, replica: station-1, url: \"{}\", version: 2.0.0, tags: [eu], \
         capabilities: [{{name: weather, version: 2.0.0, tools: [whoami]}}]}}",
        other.url()
    );
    let _proxy = fleet.mesh.start_proxy(&shape.with(&lines)).await?;
    wait::until("two candidates", async || {
        let told: Value = serde_json::from_str(&fleet.mesh.must(&["explain", AGENT, "-o", "json"]).await?)?;
        ensure!(told["candidates"].as_array().map_or(0, Vec::len) == 2, "{told}");
        Ok(())
    })
    .await?;
    for (words, winner, reason_of_loser) in [
        (vec!["--version", "^1"], "weather", "version"),
        (vec!["--version", "^2"], "station", "version"),
        (vec!["--tag", "eu"], "station", "tag"),
        (vec!["--tag=-eu"], "weather", "tag"),
    ] {
        let asked: Vec<&str> = [vec!["explain", AGENT, "-o", "json"], words].concat();
        let told: Value = serde_json::from_str(&fleet.mesh.must(&asked).await?)?;
        assert_eq!(told["winner"], winner, "{asked:?} {told}");
        let candidates = told["candidates"].as_array().context("candidates")?;
        let loser = candidates.iter().find(|candidate| candidate["agent"] != winner).context("a loser")?;
        assert!(loser["reason"].as_str().unwrap_or_default().contains(reason_of_loser), "{asked:?} {loser}");
    }
    Ok(())
}

/// The proxy that took the calls says by itself that a replica is gone, before anybody tells it.
#[tokio::test]
async fn a_call_is_explained_by_the_proxy_that_would_send_it() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    let admin = fleet.caller.admin.to_string();
    let asked = ["explain", AGENT, "--call", "tools/call", "--tool", "increment", "--admin", &admin, "-o", "json"];
    let told: Value = serde_json::from_str(&fleet.mesh.must(&asked).await?)?;
    assert_eq!(
        (&told["matched"], &told["row"], &told["retries"]["may_run_twice"]),
        (&"route".into(), &4.into(), &false.into())
    );
    let orders = |told: &Value| {
        let endpoints = told["pools"][0]["endpoints"].as_array().cloned().unwrap_or_default();
        endpoints.into_iter().map(|it| (it["replica"].as_str().unwrap_or_default().to_owned(), it)).collect::<Vec<_>>()
    };
    let (first, _) = orders(&told).into_iter().find(|(_, it)| it["order"] == 1).context("a first")?;
    // Where the next call goes is where it was said to go; its death is seen by that call.
    fleet.proxy(&first)?.process.kill().await?;
    fleet.agent(&first)?.process.kill().await?;
    Session::open(&fleet.url()).await?;
    let told: Value = serde_json::from_str(&fleet.mesh.must(&asked).await?)?;
    let dead = orders(&told).into_iter().find(|(replica, _)| *replica == first);
    if let Some((_, dead)) = dead {
        assert_eq!((&dead["ejected"], &dead["passed_over"]), (&true.into(), &"ejected".into()), "{told}");
        let table = fleet.mesh.must(&asked[..asked.len() - 2]).await?;
        assert!(table.contains("ejected"), "{table}");
    }
    let unknown = fleet.mesh.outrigger(&["explain", "tea", "--call", "ping", "--admin", &admin]).await?;
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert_eq!(unknown.status.code(), Some(1), "{said}");
    assert!(said.contains("`tea`") && said.contains(AGENT), "{said}");
    Ok(())
}

#[tokio::test]
async fn what_agents_offer_was_asked_of_them() -> Result<()> {
    let fleet = Fleet::start(Sdk::Python).await?;
    let agents = fleet.mesh.get("agents").await?;
    let weather = agents.iter().find(|agent| agent["name"] == AGENT).context("weather")?;
    assert_eq!(weather["tools"], serde_json::json!(["increment", "note", "whoami"]));
    let replicas = weather["replicas"].as_array().context("replicas")?;
    assert_eq!(replicas.len(), REPLICAS.len());
    for replica in replicas {
        assert_eq!(replica["state"], "healthy");
        let revisions = replica["revisions"].to_string();
        assert!(revisions.contains("2026-07-28"), "{replica}");
    }
    let capabilities = fleet.mesh.get("capabilities").await?;
    assert!(capabilities.iter().any(|capability| capability["name"] == "increment"), "{capabilities:?}");
    Ok(())
}

#[tokio::test]
async fn a_need_gives_a_caller_a_name_of_its_own() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let shape = Shape::calling("needy-1", "agent/needy").with("needs: [\"forecast=weather ^1.0\", \"nothing=absent\"]");
    let needy = fleet.mesh.start_proxy(&shape).await?;
    needy.sees(AGENT, REPLICAS.len()).await?;
    assert!(Session::open(&needy.url("forecast")).await?.call("increment").await?.ends_with("counts 1"));
    let nobody = mcp::initialize(&needy.url("nothing"), mcp::LEGACY).await?;
    assert_eq!(nobody.status, 503, "{}", nobody.body);
    assert_eq!(mcp::reason_of(&nobody)?, "no_provider");
    // The name is the caller's alone.
    assert_eq!(mcp::initialize(&fleet.caller.url("forecast"), mcp::LEGACY).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn watch_shows_a_whole_snapshot_and_that_it_is_in_step() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    fleet.mesh.issue("operator/you", "you").await?;
    let identity = fleet.mesh.file("you/you.pem").display().to_string();
    let words =
        ["watch", "-o", "json", "--snapshots", "1", "--grpc", fleet.mesh.control_grpc(), "--identity", &identity];
    let seen = fleet.mesh.must(&words).await?;
    assert!(seen.contains(AGENT) && seen.contains("\"op\":\"synced\""), "{seen}");
    Ok(())
}

#[tokio::test]
async fn calls_and_refusals_are_counted_by_closed_labels() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let session = Session::open(&fleet.url()).await?;
    session.call("increment").await?;
    mcp::initialize(&fleet.caller.url("a-name-that-a-stranger-chose"), mcp::LEGACY).await?;
    let metrics = wait::until("the refusal is counted", async || {
        let metrics = fleet.caller.metrics().await?;
        ensure!(metrics.contains("outrigger_refusals_total{reason=\"no_route\"} 1"), "{metrics}");
        Ok(metrics)
    })
    .await?;
    for line in
        ["outrigger_calls_total{", "outrigger_control_connected 1", "outrigger_snapshot_serial ", "route=\"weather\""]
    {
        assert!(metrics.contains(line), "no {line} in\n{metrics}");
    }
    for secret in ["a-name-that-a-stranger-chose", session.id.as_str(), "http://"] {
        assert!(!metrics.contains(secret), "{secret} is in\n{metrics}");
    }
    assert!(!fleet.caller.process.log().contains(&session.id), "a session id is in the log");
    let control = get(&format!("http://{}/metrics", fleet.mesh.control_http())).await?;
    assert!(control.body.contains("outrigger_replicas{state=\"healthy\"} 3"), "{}", control.body);
    Ok(())
}

#[tokio::test]
async fn dumps_show_what_runs_and_no_secret() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let shape = Shape::calling("desk-9", "agent/desk").with_redis("redis://somebody:hunter2@127.0.0.1:9/");
    let proxy = fleet.mesh.start_proxy(&shape).await?;
    proxy.sees(AGENT, REPLICAS.len()).await?;
    let dump = get(&format!("http://{}/config_dump", proxy.admin)).await?;
    assert_eq!(dump.status, 200);
    assert!(dump.body.contains(AGENT), "{}", dump.body);
    for text in [&dump.body, &proxy.process.log()] {
        assert!(!text.contains("hunter2") && !text.contains("PRIVATE KEY"), "{text}");
    }
    for path in ["healthz/started", "healthz/ready", "healthz/live"] {
        let reply = get(&format!("http://{}/{path}", proxy.health)).await?;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        let reply = get(&format!("http://{}/{path}", fleet.mesh.control_http())).await?;
        assert_eq!(reply.status, 200, "control {path}: {}", reply.body);
    }
    let url = format!("http://{}/config_dump", proxy.admin);
    let strange = send(http::Method::GET, &url, &[("host", "rebound.example")], "").await?;
    assert_ne!(strange.status, 200, "a web page can read it");
    Ok(())
}
