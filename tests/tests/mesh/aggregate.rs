//! Everything an agent may use as one server: agents of four SDKs and both eras, clients of both.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use outrigger_tests::mcp::{self, Session};
use outrigger_tests::mesh::{Mesh, Proxy, Shape};
use outrigger_tests::peers::{Agent, Client, ClientSdk, Sdk, ask_and_be_asked};
use outrigger_tests::{http, wait};
use serde_json::{Value, json};

/// No list waits for an agent; this is far less than any deadline of ours and enough for a loaded machine.
const AT_ONCE: Duration = Duration::from_secs(2);

/// One replica of each agent, each behind its own proxy, and a proxy that calls them.
struct Harbour {
    agents: Vec<Agent>,
    _proxies: Vec<Proxy>,
    desk: Proxy,
    mesh: Mesh,
}

impl Harbour {
    async fn start(agents: &[(Sdk, &str)], also: &str) -> Result<Self> {
        let mut mesh = Mesh::new().await?;
        mesh.start_control().await?;
        let mut harbour = Self {
            agents: vec![],
            _proxies: vec![],
            desk: mesh.start_proxy(&Shape::calling("desk-1", "agent/desk").with(also)).await?,
            mesh,
        };
        for (sdk, name) in agents {
            harbour.join(*sdk, name).await?;
        }
        Ok(harbour)
    }

    async fn join(&mut self, sdk: Sdk, name: &str) -> Result<()> {
        let replica = format!("{name}-1");
        let agent = Agent::start(sdk, &replica, self.mesh.folder()).await?;
        let shape = Shape { node: format!("{replica}-proxy"), ..Shape::beside(name, &replica, &agent.url()) };
        self._proxies.push(self.mesh.start_proxy(&shape).await?);
        self.agents.push(agent);
        self.desk.sees(name, 1).await?;
        self.listed(name).await
    }

    fn url(&self) -> String {
        format!("http://{}/mcp", self.desk.outbound)
    }

    async fn targets(&self) -> Result<Vec<Value>> {
        let dump = http::get(&format!("http://{}/catalog", self.desk.admin)).await?.json()?;
        Ok(dump["targets"].as_array().with_context(|| format!("no targets in {dump}"))?.clone())
    }

    async fn target(&self, name: &str) -> Result<Value> {
        let targets = self.targets().await?;
        let target = targets.iter().find(|target| target["agent"] == name);
        Ok(target.with_context(|| format!("no {name} in {targets:?}"))?.clone())
    }

    /// Asks, as a client does, and waits until an agent's lists were read; nobody is asked before.
    async fn listed(&self, name: &str) -> Result<()> {
        let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
        mcp::post(&self.url(), &[], &ping).await?;
        wait::until(&format!("{name} is listed"), async || {
            let target = self.target(name).await?;
            ensure!(target["tools"].as_u64() > Some(0), "{target}");
            Ok(())
        })
        .await
    }

    fn agent(&mut self, replica: &str) -> &mut Agent {
        self.agents.iter_mut().find(|agent| agent.name == replica).expect("a known replica")
    }
}

async fn tools(session: &Session) -> Result<Vec<String>> {
    let mut names = vec![];
    let mut cursor = None;
    loop {
        let params = cursor.map_or(json!({}), |cursor: String| json!({"cursor": cursor}));
        let body = json!({"jsonrpc": "2.0", "id": "list", "method": "tools/list", "params": params});
        let message = mcp::message_of(&session.post(body.to_string()).await?)?;
        let listed = message["result"]["tools"].as_array().with_context(|| format!("no tools in {message}"))?;
        names.extend(listed.iter().filter_map(|tool| tool["name"].as_str()).map(str::to_owned));
        cursor = message["result"]["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(names);
        }
    }
}

/// A stream of the revision without sessions, for changes of tools.
async fn listen(url: &str) -> Result<http::Stream> {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": mcp::MODERN,
        "io.modelcontextprotocol/clientCapabilities": {}});
    let params = json!({"_meta": meta, "notifications": {"toolsListChanged": true}});
    let body = json!({"jsonrpc": "2.0", "id": "ears", "method": "subscriptions/listen", "params": params});
    let headers = [
        ("accept", "application/json, text/event-stream"),
        ("content-type", "application/json"),
        ("mcp-protocol-version", mcp::MODERN),
        ("mcp-method", "subscriptions/listen"),
    ];
    http::open(::http::Method::POST, url, &headers, body.to_string()).await
}

/// The next event, which comes as one piece.
async fn event(stream: &mut http::Stream) -> Result<Value> {
    let piece = stream.next().await?.context("the stream ended")?;
    let text = String::from_utf8_lossy(&piece).into_owned();
    let data =
        text.lines().find_map(|line| line.strip_prefix("data: ")).with_context(|| format!("no data in {text}"))?;
    Ok(serde_json::from_str(data)?)
}

const FOUR: [(Sdk, &str); 4] =
    [(Sdk::Python, "alpha"), (Sdk::FastMcp, "beta"), (Sdk::Everything, "gamma"), (Sdk::Rust, "delta")];

#[tokio::test]
async fn every_sdk_sees_and_calls_the_tools_of_all_agents_at_one_address() -> Result<()> {
    let harbour = Harbour::start(&FOUR, "").await?;
    for (client, revision) in [
        (ClientSdk::PythonLegacy, "2025-11-25"),
        (ClientSdk::PythonAuto, "2026-07-28"),
        (ClientSdk::TypeScriptLegacy, "2025-11-25"),
        (ClientSdk::TypeScriptAuto, "2026-07-28"),
    ] {
        let log = format!("{client:?}");
        let mut client = Client::start(client, &harbour.url(), &log, harbour.mesh.folder())?;
        assert_eq!(client.open("only").await?, revision);
        let tools = client.tools("only").await?;
        for tool in ["alpha__increment", "beta__increment", "gamma__get-env", "delta__increment"] {
            assert!(tools.split(',').any(|name| name == tool), "{tool} is not in {tools}");
        }
        assert!(client.call("only", "alpha__whoami").await?.starts_with("alpha-1"));
        assert!(client.call("only", "beta__increment").await?.starts_with("beta-1"));
        assert!(client.call("only", "gamma__get-env").await?.contains("gamma-1"));
        assert!(client.call("only", "delta__increment").await?.starts_with("delta-1"));
        let error = client.call("only", "nobody__knows").await.expect_err("there is no such tool");
        assert!(error.to_string().contains("nobody__knows"), "{error}");
        client.close("only").await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_an_agent_asks_reaches_the_client_that_called_it_and_its_answer_goes_back() -> Result<()> {
    let harbour = Harbour::start(&[(Sdk::Everything, "gamma"), (Sdk::Python, "alpha")], "").await?;
    let seen = ask_and_be_asked(&harbour.url(), "legacy", "gamma").await?;
    assert_eq!(seen["version"], "2025-11-25");
    assert_eq!(seen["asked"], json!(["sampling", "elicitation"]), "{seen}");
    assert_eq!(seen["steps"], json!([1.0, 2.0, 3.0]), "{seen}");
    let text = |tool: &str| seen["texts"][tool].as_str().unwrap_or_default().to_owned();
    assert!(text("trigger-sampling-request").contains("a sampled answer"), "{seen}");
    assert!(text("trigger-elicitation-request").contains("decline"), "{seen}");
    assert_eq!((&seen["read"], seen["prompt"].as_u64() > Some(0)), (&json!(1), true), "{seen}");
    assert!(
        seen["listed"].as_array().is_some_and(|all| all.contains(&json!("gamma__trigger-sampling-request"))),
        "{seen}"
    );
    Ok(())
}

/// 2026-07-28 has no requests of servers: what a legacy agent asks on behalf of such a client is answered with an error.
#[tokio::test]
async fn a_client_without_sessions_watches_the_progress_of_a_legacy_agent_and_is_never_asked() -> Result<()> {
    let harbour = Harbour::start(&[(Sdk::Everything, "gamma")], "").await?;
    let seen = ask_and_be_asked(&harbour.url(), "auto", "gamma").await?;
    assert_eq!(seen["version"], "2026-07-28");
    assert_eq!((&seen["asked"], &seen["steps"]), (&json!([]), &json!([1.0, 2.0, 3.0])), "{seen}");
    let text = seen["texts"]["trigger-sampling-request"].as_str().unwrap_or_default();
    assert!(text.contains("not found"), "{seen}");
    Ok(())
}

#[tokio::test]
async fn an_agent_that_hangs_or_dies_neither_slows_nor_empties_the_lists_and_is_visible() -> Result<()> {
    let quick = "aggregate: {refresh_seconds: 1, deadline_ms: 500}";
    let mut harbour =
        Harbour::start(&[(Sdk::Python, "alpha"), (Sdk::Rust, "delta"), (Sdk::FastMcp, "beta")], quick).await?;
    let session = Session::open(&harbour.url()).await?;
    let all = tools(&session).await?;
    assert!(all.contains(&"alpha__whoami".to_owned()) && all.contains(&"delta__increment".to_owned()), "{all:?}");

    harbour.agent("alpha-1").process.freeze()?;
    harbour.agent("beta-1").process.kill().await?;
    wait::until("both are in trouble", async || {
        for name in ["alpha", "beta"] {
            let target = harbour.target(name).await?;
            ensure!(target["trouble"]["reason"].is_string() && target["tools"].as_u64() > Some(0), "{target}");
        }
        Ok(())
    })
    .await?;
    ensure!(harbour.desk.metrics().await?.contains("outrigger_catalog_targets_stale 2"));
    for _ in 0..10 {
        let begun = Instant::now();
        assert_eq!(tools(&session).await?, all);
        assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
        assert!(session.call("delta__increment").await?.starts_with("delta-1"));
    }
    let fresh = mcp::message_of(&mcp::initialize(&harbour.url(), "2025-11-25").await?)?;
    assert_eq!(fresh["result"]["_meta"]["outrigger/stale"], json!(["alpha", "beta"]), "{fresh}");
    let dead = mcp::message_of(&session.try_call("beta__whoami").await?)?;
    assert!(dead["error"]["message"].is_string() && dead["id"] == 7, "{dead}");

    harbour.agent("alpha-1").process.thaw()?;
    wait::until("the agent is back", async || {
        let target = harbour.target("alpha").await?;
        ensure!(target["trouble"].is_null(), "{target}");
        Ok(())
    })
    .await?;
    assert_eq!(session.call("alpha__whoami").await?, "alpha-1");
    Ok(())
}

#[tokio::test]
async fn a_client_is_told_once_when_an_agent_joins() -> Result<()> {
    let mut harbour = Harbour::start(&[(Sdk::Rust, "delta")], "").await?;
    let session = Session::open(&harbour.url()).await?;
    let mut stream = session.listen().await?;
    let mut modern = listen(&harbour.url()).await?;
    let acknowledged = event(&mut modern).await?;
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(
        acknowledged["params"]["notifications"],
        json!({"toolsListChanged": true}),
        "prompts were not asked for"
    );
    harbour.join(Sdk::Python, "alpha").await?;
    let changed = event(&mut modern).await?;
    assert_eq!(changed["method"], "notifications/tools/list_changed");
    assert_eq!(changed["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "ears", "{changed}");
    let mut text = String::new();
    while !text.contains("notifications/tools/list_changed") {
        text.push_str(&String::from_utf8_lossy(&stream.next().await?.context("the stream ended")?));
    }
    assert!(tools(&session).await?.contains(&"alpha__whoami".to_owned()), "told only when it can be seen");
    // Ending the session ends the stream, so nothing can be on its way any more.
    assert_eq!(session.delete().await?.status, 200);
    while let Some(piece) = stream.next().await? {
        text.push_str(&String::from_utf8_lossy(&piece));
    }
    assert_eq!(text.matches("list_changed").count(), 1, "{text}");
    assert_eq!(session.try_call("delta__increment").await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn many_tools_come_page_by_page_and_each_once() -> Result<()> {
    let harbour = Harbour::start(&FOUR, "aggregate: {page_size: 3}").await?;
    let session = Session::open(&harbour.url()).await?;
    let all = tools(&session).await?;
    let mut sorted = all.clone();
    sorted.sort();
    sorted.dedup();
    assert!(all.len() > 15 && sorted.len() == all.len(), "{all:?}");
    let dumped: u64 = harbour.targets().await?.iter().filter_map(|target| target["tools"].as_u64()).sum();
    assert_eq!(all.len() as u64, dumped);
    let mut client = Client::start(ClientSdk::TypeScriptLegacy, &harbour.url(), "client", harbour.mesh.folder())?;
    client.open("only").await?;
    assert!(!client.tools("only").await?.is_empty());
    Ok(())
}

/// Agents may be many, and so may be the proxies that would ask each of them.
#[tokio::test]
async fn no_agent_is_asked_before_a_client_asks() -> Result<()> {
    let mut mesh = Mesh::new().await?;
    mesh.start_control().await?;
    let agent = Agent::start(Sdk::Rust, "delta-1", mesh.folder()).await?;
    let shape = Shape { node: "delta-1-proxy".into(), ..Shape::beside("delta", "delta-1", &agent.url()) };
    let beside = mesh.start_proxy(&shape).await?;
    let desk = mesh.start_proxy(&Shape::calling("desk-1", "agent/desk")).await?;
    desk.sees("delta", 1).await?;
    // A call by name is one call at the agent's proxy, and no other came before it.
    Session::open(&desk.url("delta")).await?;
    let inbound = async || {
        let metrics = beside.metrics().await?;
        let lines = metrics.lines().filter(|line| line.starts_with("outrigger_calls_total{direction=\"inbound\""));
        Ok::<usize, anyhow::Error>(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum())
    };
    let opened = wait::until("the session is counted", async || {
        let count = inbound().await?;
        ensure!(count >= 2, "{count}");
        Ok(count)
    })
    .await?;
    assert_eq!(opened, 2, "`initialize` and its notification");
    let dump = http::get(&format!("http://{}/catalog", desk.admin)).await?.json()?;
    assert_eq!(dump["targets"], json!([]));
    Ok(())
}
