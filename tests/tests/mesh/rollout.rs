//! A candidate that one of three calling proxies tries first: a good one reaches all by itself, a bad one is taken back by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::http::{Method, StatusCode};
use anyhow::{Context, Result, ensure};
use outrigger_tests::http::Kept;
use outrigger_tests::mcp::Modern;
use outrigger_tests::mesh::{Mesh, Proxy, Shape};
use outrigger_tests::peers::{Agent, Sdk};
use outrigger_tests::wait;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const DESKS: [&str; 3] = ["desk-1", "desk-2", "desk-3"];
/// Signals every second, so that what goes wrong is known soon.
const CONTROL: &str = "lease: {light_seconds: 1, lease_seconds: 10}\nroutes: [{name: shop, capability: weather}]\n";
const GOOD: &str = "routes: [{name: shop, capability: weather, timeouts: {connect_ms: 1400}}]\n";
const BAD: &str = "routes: [{name: shop, capability: weather, faults: {percent: 100, status: 503}}]\n";
/// Three steps with signals each second; as long on a machine that does much else.
const ENDED_WITHIN: Duration = Duration::from_secs(60);
/// Between two calls of one proxy.
const PAUSE: Duration = Duration::from_millis(10);

/// A proxy, and somebody who calls through it all the time.
struct Desk {
    _proxy: Proxy,
    counts: Arc<Counts>,
    caller: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    failed: AtomicU64,
    is_over: AtomicBool,
}

impl Desk {
    async fn start(mesh: &Mesh, name: &str) -> Result<Self> {
        let track = if name == DESKS[0] { "canary" } else { "stable" };
        let shape = Shape::calling(name, "agent/desk").with(&format!("labels: {{track: {track}}}"));
        let proxy = mesh.start_proxy(&shape).await?;
        proxy.can_call("weather", 1).await?;
        let counts = Arc::<Counts>::default();
        let caller = tokio::spawn(keep_calling(proxy.url("shop"), Arc::clone(&counts)));
        Ok(Self { _proxy: proxy, counts, caller })
    }

    fn failed(&self) -> u64 {
        self.counts.failed.load(Ordering::Relaxed)
    }

    /// Calls are answered from now on.
    async fn is_well(&self) -> Result<()> {
        let (answered, failed) = (self.counts.answered.load(Ordering::Relaxed), self.failed());
        wait::until("calls go well", async || {
            let now = self.counts.answered.load(Ordering::Relaxed);
            ensure!(now > answered + 5, "{now} answered, {} failed since", self.failed() - failed);
            Ok(())
        })
        .await
    }

    async fn stop(self) -> Result<()> {
        self.counts.is_over.store(true, Ordering::Relaxed);
        Ok(self.caller.await?)
    }
}

async fn keep_calling(url: String, counts: Arc<Counts>) {
    let params = json!({"name": "whoami", "arguments": {}});
    let call = Modern { method: "tools/call", name: "whoami", params, capabilities: json!({}) };
    let mut kept = Kept::default();
    while !counts.is_over.load(Ordering::Relaxed) {
        let reply = kept.send(Method::POST, &url, &call.headers(), call.body()).await;
        let is_good = reply.is_ok_and(|reply| reply.status == StatusCode::OK);
        let count = if is_good { &counts.answered } else { &counts.failed };
        count.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(PAUSE).await;
    }
}

/// The rollout once it has ended as it should.
async fn ended(mesh: &Mesh, phase: &str) -> Result<Value> {
    wait::within(ENDED_WITHIN, phase, async || {
        let text = mesh.must(&["snapshot", "rollout", "status", "-o", "json"]).await?;
        let rollout: Value = serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))?;
        ensure!(rollout["phase"] == phase, "{rollout}");
        Ok(rollout)
    })
    .await
}

/// The number of the intent that runs.
async fn runs(mesh: &Mesh) -> Result<u64> {
    let text = mesh.must(&["snapshot", "history", "--limit", "1", "-o", "json"]).await?;
    let history: Value = serde_json::from_str(&text)?;
    history["items"][0]["number"].as_u64().with_context(|| format!("no number in {history}"))
}

/// First the proxy with the label, then everybody.
fn start<'a>(file: &'a str, soak: &'a str) -> Vec<&'a str> {
    let words = ["snapshot", "rollout", "start", "-f", file, "--author", "ada", "--reason", "try"];
    let rules = ["--labels", "track=canary", "--steps", "50,100", "--soak", soak];
    words.into_iter().chain(rules).collect()
}

#[tokio::test]
async fn a_good_candidate_reaches_all_by_itself_and_a_bad_one_never_leaves_its_lane() -> Result<()> {
    let mut mesh = Mesh::new().await?.declaring(CONTROL);
    mesh.start_control().await?;
    let agent = Agent::start(Sdk::Python, "weather-1", mesh.folder()).await?;
    let _beside = mesh.start_proxy(&Shape::beside("weather", "weather-1", &agent.url())).await?;
    let mut desks = Vec::new();
    for name in DESKS {
        desks.push(Desk::start(&mesh, name).await?);
    }
    for (name, text) in [("good.yaml", GOOD), ("bad.yaml", BAD)] {
        std::fs::write(mesh.file(name), text)?;
    }

    let began = Instant::now();
    let told = mesh.must(&start("good.yaml", "1")).await?;
    ensure!(told.contains("rollout running: step 1 of 3, track=canary"), "{told}");
    ended(&mesh, "promoted").await?;
    println!("a good candidate was promoted after {:.1} s", began.elapsed().as_secs_f64());
    mesh.must(&["snapshot", "rollout", "status", "-w"]).await?;
    assert_eq!(runs(&mesh).await?, 2);
    mesh.is_synced(DESKS.len() + 1).await?;
    let failed: u64 = desks.iter().map(Desk::failed).sum();
    assert_eq!(failed, 0, "no call failed by changing lanes");

    let began = Instant::now();
    mesh.must(&start("bad.yaml", "60")).await?;
    let rollout = ended(&mesh, "aborted").await?;
    let seconds = began.elapsed().as_secs_f64();
    let done = mesh.outrigger(&["snapshot", "rollout", "status", "-w"]).await?;
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    ensure!(!done.status.success() && told.contains("of the calls of the lane fail"), "{told}");
    assert_eq!((&rollout["step"], runs(&mesh).await?), (&json!(1), 2));
    for desk in &desks {
        desk.is_well().await?;
    }
    let failed: Vec<u64> = desks.iter().map(Desk::failed).collect();
    let of_lane = failed[0];
    println!("a bad candidate was taken back after {seconds:.1} s; {of_lane} calls failed, all of one proxy of three");
    assert!(of_lane > 0 && failed.iter().sum::<u64>() == of_lane, "{failed:?}");
    mesh.is_synced(DESKS.len() + 1).await?;
    let events = mesh.must(&["get", "events", "-o", "json"]).await?;
    ensure!(events.contains("rollout_promoted") && events.contains("rollout_aborted"), "{events}");
    for desk in desks {
        desk.stop().await?;
    }
    Ok(())
}
