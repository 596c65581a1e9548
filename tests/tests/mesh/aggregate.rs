//! Everything an agent may use as one server: agents of four SDKs and both eras, clients of both.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use outrigger_tests::mcp::{self, Session};
use outrigger_tests::mesh::{Mesh, Proxy, Shape};
use outrigger_tests::peers::{Agent, Client, ClientSdk, Sdk};
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

    /// Waits until an agent's lists were read.
    async fn listed(&self, name: &str) -> Result<()> {
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
