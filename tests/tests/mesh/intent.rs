//! What operators declare, changed while calls go on: planned, published, rolled back, and how soon proxies go by it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use outrigger_tests::fleet::Fleet;
use outrigger_tests::http;
use outrigger_tests::mcp::{Session, initialize, text_of};
use outrigger_tests::mesh::Mesh;
use outrigger_tests::peers::Sdk;
use outrigger_tests::wait;
use serde_json::Value;

/// From the command to the last proxy that goes by it.
const APPLIED_WITHIN: Duration = Duration::from_secs(1);
const REVISION: &str = "2025-06-18";
const MARKER: &str = "hunter2-marker";

const GOOD: &str = "routes:\n  - {name: shop, capability: weather, headers: {set: {x-team: \"hunter2-marker\"}}}\n";
const BAD: &str = "routes:\n  - {name: shop, capability: weather, faults: {percent: 100, status: 503}}\n";

/// Runs a command that changes what is declared; how long it takes until every proxy goes by it.
async fn change(mesh: &Mesh, words: &[&str], proxies: usize) -> Result<Duration> {
    let begun = Instant::now();
    let signed = [&["snapshot"], words, &["--author", "ada", "--reason", "to see it", "-o", "json"]].concat();
    let done: Value = serde_json::from_str(&mesh.must(&signed).await?)?;
    let serial = done["serial"].as_u64().context("no serial")?;
    let url = format!("http://{}/v1/proxies", mesh.control_http());
    wait::until("every proxy goes by it", async || {
        let listed = http::get(&url).await?.json()?;
        let items = listed["items"].as_array().context("no items")?;
        let going = items.iter().filter(|proxy| proxy["serial"].as_u64() >= Some(serial)).count();
        ensure!(going == proxies, "{listed}");
        Ok(())
    })
    .await?;
    let took = begun.elapsed();
    eprintln!("{}: {} ms from the command to the last of {proxies} proxies", words.join(" "), took.as_millis());
    Ok(took)
}

/// `number source`, newest first.
async fn history(mesh: &Mesh) -> Result<Vec<String>> {
    let listed: Value = serde_json::from_str(&mesh.must(&["snapshot", "history", "-o", "json"]).await?)?;
    let line = |item: &Value| format!("{} {}", item["number"], item["source"].as_str().unwrap_or_default());
    Ok(listed["items"].as_array().context("no items")?.iter().map(line).collect())
}

#[tokio::test]
async fn a_change_is_planned_published_and_taken_back_while_calls_go_on() -> Result<()> {
    let mut fleet = Fleet::start(Sdk::Rust).await?;
    let proxies = fleet.proxies_count();
    let shop = fleet.caller.url("shop");
    let (good, bad) = (fleet.mesh.file("good.yaml"), fleet.mesh.file("bad.yaml"));
    std::fs::write(&good, GOOD)?;
    std::fs::write(&bad, BAD)?;
    let (good, bad) = (good.display().to_string(), bad.display().to_string());

    let planned = fleet.mesh.must(&["snapshot", "plan", "-f", &good]).await?;
    assert!(planned.contains("1 view and 4 proxies would change") && planned.contains("+ Route shop"), "{planned}");
    assert_eq!(initialize(&shop, REVISION).await?.status, 404, "a plan changes nothing");

    let mut took = vec![change(&fleet.mesh, &["publish", "-f", &good], proxies).await?];
    let session = Session::open(&shop).await?;
    session.call(fleet.tool()).await?;

    took.push(change(&fleet.mesh, &["publish", "-f", &bad, "--expect", "2"], proxies).await?);
    let failed = session.try_call(fleet.tool()).await?;
    assert_eq!(failed.status, 503, "{}", failed.body);

    let late = ["snapshot", "publish", "-f", &good, "--expect", "2", "--author", "eve", "--reason", "x"];
    let stale = fleet.mesh.outrigger(&late).await?;
    let said = String::from_utf8_lossy(&stale.stderr).into_owned();
    assert_eq!(stale.status.code(), Some(1), "{said}");
    assert!(said.contains("intent 3 runs and not 2"), "{said}");

    took.push(change(&fleet.mesh, &["rollback"], proxies).await?);
    let again = session.try_call(fleet.tool()).await?;
    text_of(&again).context("the same session goes on as before")?;
    assert_eq!(history(&fleet.mesh).await?, ["4 rollback", "3 published", "2 published", "1 file"]);

    let diff = fleet.mesh.must(&["snapshot", "diff", "2", "3"]).await?;
    assert!(diff.contains("changed route shop") && diff.contains("faults.status: 503 (was not set)"), "{diff}");
    let shown = fleet.mesh.must(&["snapshot", "show"]).await?;
    assert!(shown.contains("# undoes intent 3") && shown.contains("x-team: (hidden)"), "{shown}");
    let explained: Value = serde_json::from_str(&fleet.mesh.must(&["explain", "shop", "-o", "json"]).await?)?;
    assert_eq!(explained["intent"], 4);
    let best = took.iter().min().context("nothing was measured")?;
    assert!(*best <= APPLIED_WITHIN, "{took:?}");

    // Control forgets nothing of it when it dies, and nobody wrote the value of a header field anywhere.
    fleet.mesh.kill_control().await?;
    fleet.mesh.start_control().await?;
    assert_eq!(history(&fleet.mesh).await?.first().map(String::as_str), Some("4 rollback"));
    session.call(fleet.tool()).await?;
    let logs = fleet.proxies.iter().map(|proxy| proxy.process.log());
    let logs = logs.chain([fleet.caller.process.log(), fleet.mesh.control.as_ref().context("control")?.log()]);
    for text in logs.chain([planned, said, diff, shown, explained.to_string()]) {
        assert!(!text.contains(MARKER), "{text}");
    }
    Ok(())
}
