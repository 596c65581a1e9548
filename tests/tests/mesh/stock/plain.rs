//! A mesh without identities: control and proxies of which each says `insecure: true`.

use anyhow::{Context, Result, ensure};
use outrigger_tests::http::{Kept, get};
use outrigger_tests::mcp::{self, Modern};
use outrigger_tests::mesh::Mesh;
use outrigger_tests::peers::{Agent, Sdk};
use outrigger_tests::process::Process;
use outrigger_tests::stock::{Bootstrap, Envoy};
use outrigger_tests::wait;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const LEASE: &str = "lease: {light_seconds: 1, lease_seconds: 4}\n";
/// Connections that call all the time.
const CALLERS: usize = 4;

pub struct Plain {
    mesh: Mesh,
    control: Option<Process>,
    pub grpc: String,
    pub http: String,
    /// What control was told of these when it started; it may not change while it runs.
    listen: String,
    agents: Vec<Agent>,
    proxies: Vec<(String, Process)>,
}

/// Calls that go on until they are stopped.
pub struct Load {
    over: watch::Sender<bool>,
    callers: Vec<JoinHandle<Result<Tally>>>,
}

/// How many calls there were, and what of them failed.
pub type Tally = (usize, Vec<String>);

pub fn call() -> Modern<'static> {
    let params = json!({"name": "whoami", "arguments": {}});
    Modern { method: "tools/call", name: "whoami", params, capabilities: json!({}) }
}

impl Plain {
    pub async fn start(lines: &str) -> Result<Self> {
        let mesh = Mesh::new().await?;
        let any = "127.0.0.1:0".to_owned();
        let (agents, proxies) = (vec![], vec![]);
        let listen = String::new();
        let mut plain = Self { mesh, control: None, grpc: any.clone(), http: any, listen, agents, proxies };
        plain.start_control(lines).await?;
        Ok(plain)
    }

    /// Starts control, or brings it back where it was.
    pub async fn start_control(&mut self, lines: &str) -> Result<()> {
        let file = self.mesh.file("control/control.yaml");
        self.listen = format!("{{grpc: {}, http: {}}}", self.grpc, self.http);
        std::fs::write(&file, self.control_file(lines))?;
        let (process, ports) = self.mesh.serve("control", "control", &file, None).await?;
        self.control = Some(process);
        let port = |name: &str| ports.get(name).and_then(Value::as_str).map(str::to_owned).context("a port");
        (self.grpc, self.http) = (port("grpc")?, port("http")?);
        Ok(())
    }

    fn control_file(&self, lines: &str) -> String {
        format!(
            "listen: {}\nstore: sqlite:control.db\ninsecure: true\n{LEASE}log: {{level: debug, format: text}}\n{lines}",
            self.listen
        )
    }

    pub async fn kill_control(&mut self) -> Result<()> {
        self.control.take().context("control does not run")?.kill().await
    }

    /// What control remembers is gone.
    pub fn forget(&self) -> Result<()> {
        for file in std::fs::read_dir(self.mesh.file("control"))? {
            let file = file?.path();
            if file.to_string_lossy().contains("control.db") {
                std::fs::remove_file(file)?;
            }
        }
        Ok(())
    }

    /// Changes the further lines of control's file while it runs.
    pub async fn declare(&mut self, lines: &str) -> Result<()> {
        let before = self.serial().await?;
        std::fs::write(self.mesh.file("control/control.yaml"), self.control_file(lines))?;
        self.control.as_ref().context("control does not run")?.hang_up()?;
        wait::until("a snapshot of the change", async || {
            let serial = self.serial().await?;
            ensure!(serial > before, "{serial}");
            Ok(())
        })
        .await
    }

    async fn serial(&self) -> Result<u64> {
        let metrics = get(&format!("http://{}/metrics", self.http)).await?.body;
        let serial = metrics.lines().find_map(|line| line.strip_prefix("outrigger_publish_serial "));
        Ok(serial.context("no serial")?.parse()?)
    }

    /// A replica of `weather` with a proxy beside it.
    pub async fn replica(&mut self, replica: &str, version: &str) -> Result<()> {
        let agent = Agent::start(Sdk::Python, replica, self.mesh.folder()).await?;
        let folder = self.mesh.file(&format!("{replica}-proxy"));
        std::fs::create_dir(&folder)?;
        let file = folder.join("proxy.yaml");
        let listen =
            ["outbound", "inbound", "admin", "health"].map(|name| format!("{name}: \"127.0.0.1:0\"")).join(", ");
        let text = format!(
            "node: {replica}-proxy\nlisten: {{{listen}}}\ncontrol: {{address: \"{}\"}}\ninsecure: true\nthreads: 1\n\
             log: {{level: debug, format: text}}\nagents:\n  - {{name: weather, replica: {replica}, url: \"{}\", \
             version: {version}}}\n",
            self.grpc,
            agent.url()
        );
        std::fs::write(&file, text)?;
        let (process, _) = self.mesh.serve("proxy", &format!("{replica}-proxy"), &file, None).await?;
        self.proxies.push((replica.to_owned(), process));
        self.agents.push(agent);
        Ok(())
    }

    /// Ends the proxy of a replica as an operator does.
    pub async fn stop_proxy(&mut self, replica: &str) -> Result<()> {
        let at = self.proxies.iter().position(|(name, _)| name == replica).context("a proxy")?;
        self.proxies.remove(at).1.stop().await?;
        Ok(())
    }

    pub async fn envoy(&self, bootstrap: &Bootstrap) -> Result<Envoy> {
        Envoy::start(bootstrap, self.mesh.folder(), &self.grpc).await
    }

    pub fn folder(&self) -> &std::path::Path {
        self.mesh.folder()
    }

    /// Which replica answers a call.
    pub async fn call(&self, envoy: &Envoy, target: &str) -> Result<String> {
        let (call, url) = (call(), envoy.url(target));
        replica_of(&outrigger_tests::http::send(::http::Method::POST, &url, &call.headers(), call.body()).await?)
    }

    pub async fn answers(&self, envoy: &Envoy, target: &str, replica: &str) -> Result<()> {
        wait::until(&format!("{replica} answers"), async || {
            let seen = self.call(envoy, target).await?;
            ensure!(seen == replica, "{seen}");
            Ok(())
        })
        .await
    }
}

fn replica_of(reply: &outrigger_tests::http::Reply) -> Result<String> {
    let text = mcp::text_of(reply)?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}

impl Load {
    pub fn on(envoy: &Envoy, target: &str) -> Self {
        let (over, seen) = watch::channel(false);
        let caller = |_| tokio::spawn(calls(envoy.url(target), seen.clone()));
        Self { over, callers: (0..CALLERS).map(caller).collect() }
    }

    pub async fn stop(self) -> Result<Tally> {
        self.over.send(true)?;
        let (mut all, mut failed) = (0, vec![]);
        for caller in self.callers {
            let (calls, wrong) = caller.await??;
            all += calls;
            failed.extend(wrong);
        }
        Ok((all, failed))
    }
}

async fn calls(url: String, mut over: watch::Receiver<bool>) -> Result<Tally> {
    let (mut kept, mut all, mut failed) = (Kept::default(), 0, vec![]);
    while !*over.borrow_and_update() {
        match kept.send(::http::Method::POST, &url, &call().headers(), call().body()).await {
            Ok(reply) => {
                if let Err(error) = replica_of(&reply) {
                    failed.push(format!("{error:#}"));
                }
            }
            Err(error) => failed.push(format!("{error:#}")),
        }
        all += 1;
    }
    Ok((all, failed))
}
