//! Two versions of a real agent behind one route: who gets a call, who gets copies, what a change of the file does to calls.

use std::time::{Duration, Instant};

use ::http::Method;
use anyhow::{Context, Result, ensure};
use outrigger_tests::http::{Kept, Reply, send};
use outrigger_tests::mcp::{self, Modern, Session};
use outrigger_tests::mesh::{Mesh, Proxy, Shape};
use outrigger_tests::peers::{Agent, Sdk};
use outrigger_tests::wait;
use serde_json::json;

/// Changes of control's file, each to other weights.
const CHANGES: u16 = 20;

/// `weather` in two versions, `shadow` beside it, and a proxy that calls.
struct Versions {
    mesh: Mesh,
    agents: Vec<Agent>,
    _proxies: Vec<Proxy>,
    caller: Proxy,
}

impl Versions {
    async fn start(lines: &str) -> Result<Self> {
        let mut mesh = Mesh::new().await?.declaring(lines);
        mesh.start_control().await?;
        let (mut agents, mut proxies) = (vec![], vec![]);
        for (name, replica, version) in
            [("weather", "old-1", "1.4.0"), ("weather", "new-1", "2.0.0"), ("shadow", "shadow-1", "1.0.0")]
        {
            let agent = Agent::start(Sdk::Python, replica, mesh.folder()).await?;
            let beside = format!(
                "agents:\n  - {{name: {name}, replica: {replica}, url: \"{}\", version: {version}}}",
                agent.url()
            );
            let shape = Shape::calling(&format!("{replica}-proxy"), &format!("agent/{name}")).with(&beside);
            proxies.push(mesh.start_proxy(&shape).await?);
            agents.push(agent);
        }
        let caller = mesh.start_proxy(&Shape::calling("desk-1", "agent/desk")).await?;
        caller.sees("weather", 2).await?;
        caller.sees("shadow", 1).await?;
        Ok(Self { mesh, agents, _proxies: proxies, caller })
    }

    async fn call(&self, headers: &[(&str, &str)]) -> Result<Reply> {
        let params = json!({"name": "whoami", "arguments": {}});
        let call = Modern { method: "tools/call", name: "whoami", params, capabilities: json!({}) };
        let headers = [&call.headers(), headers].concat();
        send(Method::POST, &self.caller.url("shop"), &headers, call.body()).await
    }

    /// Which replica answers a call.
    async fn answers(&self, headers: &[(&str, &str)]) -> Result<String> {
        let text = mcp::text_of(&self.call(headers).await?)?;
        Ok(text.split(' ').next().unwrap_or_default().to_owned())
    }
}

fn split(old: u16, new: u16) -> String {
    format!(
        "routes:\n  - name: shop\n    capability: weather\n    affinity: keys\n    \
         split: [{{weight: {old}, version: ^1}}, {{weight: {new}, version: ^2}}]\n"
    )
}

#[tokio::test]
async fn a_new_version_gets_its_tenth_and_who_asks_for_it_always() -> Result<()> {
    let lines = format!("{}    match: [{{headers: {{x-version: next}}, to: {{version: ^2}}}}]\n", split(90, 10));
    let versions = Versions::start(&lines).await?;
    let mut new = 0;
    for _ in 0..400 {
        new += usize::from(versions.answers(&[]).await? == "new-1");
    }
    // Five standard deviations.
    assert!((10..=70).contains(&new), "{new} of 400");
    for _ in 0..20 {
        assert_eq!(versions.answers(&[("x-version", "next")]).await?, "new-1");
    }
    let told = versions.mesh.outrigger(&["explain", "shop"]).await?;
    assert!(told.status.success(), "a route is found by its name, whatever capability it leads to: {told:?}");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    for words in ["calls with x-version: next: 100 %", "all other calls: 90 %", "10 % → pool shop--weather-"] {
        assert!(told.contains(words), "no `{words}` in\n{told}");
    }
    Ok(())
}

/// Frozen, it takes connections and answers nothing: the worst that a mirror can be.
#[tokio::test]
async fn a_mirror_that_hangs_is_noticed_by_nobody() -> Result<()> {
    let lines = "routes:\n  - {name: shop, capability: weather, version: ^1, mirror: {capability: shadow}}\n";
    let versions = Versions::start(lines).await?;
    versions.answers(&[]).await?;
    let counted = async |line: &str| {
        let metrics = versions.caller.metrics().await?;
        ensure!(metrics.contains(line), "no {line} in {metrics}");
        Ok(())
    };
    wait::until("the first copy is answered", async || counted("outrigger_copies_total{result=\"answered\"} 1").await)
        .await?;
    versions.agents.iter().find(|agent| agent.name == "shadow-1").context("shadow-1")?.process.freeze()?;
    let began = Instant::now();
    for _ in 0..200 {
        assert_eq!(versions.answers(&[]).await?, "old-1");
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?} for 200 calls", began.elapsed());
    counted("outrigger_copies_total{result=\"full\"}").await
}

#[tokio::test]
async fn faults_and_heads_do_as_the_file_says_and_secrets_stay_with_proxies() -> Result<()> {
    let lines = "routes:\n  - {name: shop, capability: weather, version: ^1, faults: {percent: 100, status: 503}, \
                 headers: {set: {authorization: hunter2}}}\n";
    let versions = Versions::start(lines).await?;
    let refused = versions.call(&[]).await?;
    assert_eq!((refused.status.as_u16(), mcp::reason_of(&refused)?.as_str()), (503, "fault_injected"));
    let dump = outrigger_tests::http::get(&format!("http://{}/config_dump", versions.caller.admin)).await?.body;
    let explained = versions.mesh.outrigger(&["explain", "shop", "-o", "json"]).await?;
    let log = versions.caller.process.log();
    for text in [dump, String::from_utf8_lossy(&explained.stdout).into_owned(), log] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    Ok(())
}

/// Control's file changes again and again, under calls that keep their connection; a session stays where it is.
#[tokio::test]
async fn weights_turn_under_load_and_no_call_fails() -> Result<()> {
    let mut versions = Versions::start(&split(1, 0)).await?;
    let url = versions.caller.url("shop");
    let session = Session::open(&url).await?;
    assert_eq!(session.call("increment").await?, "old-1 counts 1");
    let params = json!({"name": "whoami", "arguments": {}});
    let (over, mut seen) = tokio::sync::watch::channel(false);
    let load = tokio::spawn(async move {
        let call = Modern { method: "tools/call", name: "whoami", params, capabilities: json!({}) };
        let (mut kept, mut calls, mut new) = (Kept::default(), 0_usize, 0_usize);
        while !*seen.borrow_and_update() {
            let reply = kept.send(Method::POST, &url, &call.headers(), call.body()).await?;
            new += usize::from(mcp::text_of(&reply)?.starts_with("new-1"));
            calls += 1;
        }
        anyhow::Ok((calls, new))
    });
    for change in 1..=CHANGES {
        versions.mesh.declare(&split(CHANGES - change, change)).await?;
    }
    wait::until("all go to the new version", async || {
        ensure!(versions.answers(&[]).await? == "new-1");
        Ok(())
    })
    .await?;
    over.send(true)?;
    let (calls, new) = load.await??;
    assert!(calls > usize::from(CHANGES) && new > 0 && new < calls, "{new} of {calls}");
    assert_eq!(session.call("increment").await?, "old-1 counts 2", "its session is there");
    Ok(())
}
