//! A whole mesh of real processes: an authority, control, proxies, each in a folder of the test's own.
//!
//! In: what should stand. Out: addresses, and processes to kill and to bring back.
//! Never here: agents and clients; those are `peers`.
//! Invariant: every port was given by the system, and a process that comes back listens where it was.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::Process;
use crate::{binary, far, http, wait};

const LOOPBACK: &str = "127.0.0.1";

pub struct Mesh {
    folder: TempDir,
    /// Further lines of control's file: routes and pools.
    pub intent: String,
    /// Where proxies reach control, by IP.
    pub host: String,
    /// Further lines of the file of every proxy.
    pub every_proxy: String,
    pub control: Option<Process>,
    grpc: Option<String>,
    http: Option<String>,
    /// What control was told of these when it started.
    listen: String,
}

/// What a proxy should be.
#[derive(Clone)]
pub struct Shape {
    pub node: String,
    /// `agent/NAME` or `node/NAME`.
    pub identity: String,
    /// Agents it stands beside: name, replica, URL.
    pub agents: Vec<(String, String, String)>,
    pub redis_url: Option<String>,
    /// How long a call waits for Redis, if not for as long as is usual.
    pub redis_wait_ms: Option<u64>,
    /// Where it listens, if not on any free ports.
    pub listen: Option<String>,
    /// Further lines of its file.
    pub also: String,
    /// Where other proxies reach it, by IP.
    pub host: String,
    /// The network namespace it runs in, if not that of the test.
    pub namespace: Option<String>,
}

pub struct Proxy {
    pub process: Process,
    pub node: String,
    pub outbound: String,
    pub inbound: String,
    pub admin: String,
    pub health: String,
}

/// Free ports; only the inbound one is for other hosts.
fn any_ports(host: &str) -> String {
    format!("{{outbound: \"127.0.0.1:0\", inbound: \"{host}:0\", admin: \"127.0.0.1:0\", health: \"127.0.0.1:0\"}}")
}

impl Shape {
    /// A proxy beside one replica of an agent.
    pub fn beside(agent: &str, replica: &str, url: &str) -> Self {
        let beside = (agent.to_owned(), replica.to_owned(), url.to_owned());
        Self { agents: vec![beside], ..Self::calling(replica, &format!("agent/{agent}")) }
    }

    /// A proxy that only calls.
    pub fn calling(node: &str, identity: &str) -> Self {
        Self {
            node: node.to_owned(),
            identity: identity.to_owned(),
            agents: vec![],
            redis_url: None,
            redis_wait_ms: None,
            listen: None,
            also: String::new(),
            host: LOOPBACK.to_owned(),
            namespace: None,
        }
    }

    pub fn with_redis(self, url: &str) -> Self {
        Self { redis_url: Some(url.to_owned()), ..self }
    }

    /// Where `proxy` listened.
    pub fn listening_like(self, proxy: &Proxy) -> Self {
        let Proxy { outbound, inbound, admin, health, .. } = proxy;
        let listen = format!("{{outbound: {outbound}, inbound: {inbound}, admin: {admin}, health: {health}}}");
        Self { listen: Some(listen), ..self }
    }

    pub fn with(self, lines: &str) -> Self {
        Self { also: format!("{}{lines}\n", self.also), ..self }
    }
}

impl Mesh {
    /// An authority, and nothing that runs yet.
    pub async fn new() -> Result<Self> {
        let mesh = Self {
            folder: tempfile::tempdir()?,
            control: None,
            grpc: None,
            http: None,
            intent: String::new(),
            host: LOOPBACK.to_owned(),
            every_proxy: String::new(),
            listen: String::new(),
        };
        let dir = mesh.path("ca");
        mesh.must(&["ca", "init", "--dir", &dir]).await?;
        mesh.issue("control", "control").await?;
        Ok(mesh)
    }

    /// The same with further lines in control's file, which is yet to start.
    pub fn declaring(self, lines: &str) -> Self {
        Self { intent: lines.to_owned(), ..self }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn path(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    /// Issues a certificate into `folder`; answers with the stem of its files.
    pub async fn issue(&self, identity: &str, folder: &str) -> Result<String> {
        let (ca, out) = (self.path("ca"), self.path(folder));
        let stem = identity.rsplit('/').next().unwrap_or(identity).to_owned();
        // A proxy that comes back proves the same as before.
        if !self.file(folder).join(format!("{stem}.pem")).exists() {
            self.must(&["ca", "issue", "--dir", &ca, identity, "--out", &out]).await?;
        }
        Ok(stem)
    }

    /// Starts control, or brings it back where it was with what its store remembers.
    pub async fn start_control(&mut self) -> Result<()> {
        let grpc = self.grpc.clone().unwrap_or_else(|| format!("{}:0", self.host));
        let http = self.http.clone().unwrap_or_else(|| "127.0.0.1:0".to_owned());
        self.listen = format!("{{grpc: {grpc}, http: {http}}}");
        let file = self.file("control/control.yaml");
        std::fs::write(&file, self.control_file())?;
        let (process, ports) = self.serve("control", "control", &file, None).await?;
        self.control = Some(process);
        self.grpc = Some(port(&ports, "grpc")?);
        self.http = Some(port(&ports, "http")?);
        Ok(())
    }

    /// Changes the further lines of control's file while it runs; the serial of the snapshot that goes by them.
    pub async fn declare(&mut self, lines: &str) -> Result<u64> {
        let before = self.serial().await?;
        self.intent = lines.to_owned();
        std::fs::write(self.file("control/control.yaml"), self.control_file())?;
        self.control.as_ref().context("control does not run")?.hang_up()?;
        wait::until("a snapshot of the change", async || {
            let serial = self.serial().await?;
            ensure!(serial > before, "{serial}");
            Ok(serial)
        })
        .await
    }

    /// Of the newest snapshot.
    async fn serial(&self) -> Result<u64> {
        let metrics = http::get(&format!("http://{}/metrics", self.control_http())).await?.body;
        let serial = metrics.lines().find_map(|line| line.strip_prefix("outrigger_publish_serial "));
        Ok(serial.with_context(|| format!("no serial in {metrics}"))?.parse()?)
    }

    fn control_file(&self) -> String {
        format!(
            "listen: {}\nstore: sqlite:{}\nidentity: {{certificate: control.pem, \
             key: control.key, authority: ca.pem}}\nlog: {{level: debug, format: text}}\n{}",
            self.listen,
            self.path("control/control.db"),
            self.intent
        )
    }

    pub async fn kill_control(&mut self) -> Result<()> {
        let mut control = self.control.take().context("control does not run")?;
        control.kill().await
    }

    pub async fn start_proxy(&self, shape: &Shape) -> Result<Proxy> {
        let stem = self.issue(&shape.identity, &shape.node).await?;
        let file = self.file(&format!("{}/proxy.yaml", shape.node));
        std::fs::write(&file, self.proxy_file(shape, &stem)?)?;
        let (process, ports) = self.serve("proxy", &shape.node, &file, shape.namespace.as_deref()).await?;
        Proxy::of(process, &shape.node, &ports)
    }

    /// Another process takes over from a proxy; the one before, which ends its calls.
    pub async fn upgrade(&self, proxy: &mut Proxy) -> Result<Process> {
        let file = self.file(&format!("{}/proxy.yaml", proxy.node));
        let (process, ports) = self.serve_with("proxy", &proxy.node, &file, None, &["--upgrade"]).await?;
        let taken = Proxy::of(process, &proxy.node, &ports)?;
        ensure!(taken.outbound == proxy.outbound && taken.inbound == proxy.inbound, "it listens where the other did");
        Ok(std::mem::replace(proxy, taken).process)
    }

    pub fn proxy_file(&self, shape: &Shape, stem: &str) -> Result<String> {
        let grpc = self.grpc.as_deref().unwrap_or("127.0.0.1:9");
        let mut text = format!(
            "node: {}\nlisten: {}\ncontrol: {{address: \"{grpc}\"}}\n\
             identity: {{certificate: {stem}.pem, key: {stem}.key, authority: ca.pem}}\n\
             snapshot: {{file: snapshot.bin}}\nlog: {{level: debug, format: text}}\nthreads: 1\n",
            shape.node,
            shape.listen.clone().unwrap_or_else(|| any_ports(&shape.host))
        );
        if !shape.agents.is_empty() {
            text.push_str("agents:\n");
        }
        for (name, replica, url) in &shape.agents {
            writeln!(text, "  - {{name: {name}, replica: {replica}, url: \"{url}\", version: 1.2.0}}")?;
        }
        if let Some(url) = &shape.redis_url {
            let wait = shape.redis_wait_ms.map(|wait| format!(", redis_timeout_ms: {wait}")).unwrap_or_default();
            writeln!(text, "sessions: {{redis_url: \"{url}\"{wait}}}")?;
        }
        text.push_str(&self.every_proxy);
        text.push_str(&shape.also);
        Ok(text)
    }

    /// Starts `outrigger proxy|control` and waits until it has said where it listens.
    pub async fn serve(
        &self,
        kind: &str,
        name: &str,
        file: &Path,
        namespace: Option<&str>,
    ) -> Result<(Process, Value)> {
        self.serve_with(kind, name, file, namespace, &[]).await
    }

    async fn serve_with(
        &self,
        kind: &str,
        name: &str,
        file: &Path,
        namespace: Option<&str>,
        also: &[&str],
    ) -> Result<(Process, Value)> {
        let ports_file = self.file(&format!("{name}.ports.json"));
        let _ = std::fs::remove_file(&ports_file);
        let mut command = far::command(&binary::outrigger()?, namespace);
        command.arg(kind).arg("-f").arg(file).arg("--ports-file").arg(&ports_file).args(also).env_remove("REDIS_URL");
        command.current_dir(file.parent().unwrap_or(self.folder()));
        let mut process = Process::start(name, self.folder(), command)?;
        let ports = wait::until(&format!("{name} listens"), async || match std::fs::read_to_string(&ports_file) {
            Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
            Err(_) if !process.is_running() => Ok(None),
            Err(error) => bail!("{error}: {}", process.log()),
        })
        .await?;
        match ports {
            Some(ports) => Ok((process, ports)),
            None => bail!("{name} ended:\n{}", process.log()),
        }
    }

    /// Runs the binary against this mesh's control.
    pub async fn outrigger(&self, words: &[&str]) -> Result<Output> {
        let mut command = Command::new(binary::outrigger()?);
        command.args(words).current_dir(self.folder()).kill_on_drop(true);
        if let Some(http) = &self.http {
            command.env("OUTRIGGER_CONTROL_HTTP", http);
        }
        let done = tokio::time::timeout(wait::DEADLINE, command.output()).await;
        done.with_context(|| format!("outrigger {} does not end", words.join(" ")))?.context("start outrigger")
    }

    /// Runs the binary and wants it to succeed; answers with what it printed.
    pub async fn must(&self, words: &[&str]) -> Result<String> {
        let done = self.outrigger(words).await?;
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        ensure!(done.status.success(), "outrigger {}: {}\n{out}{err}", words.join(" "), done.status);
        Ok(out.into_owned())
    }

    /// What `outrigger get KIND -o json` lists.
    pub async fn get(&self, kind: &str) -> Result<Vec<Value>> {
        let text = self.must(&["get", kind, "-o", "json"]).await?;
        let value: Value = serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))?;
        let items = value.get("items").unwrap_or(&value);
        Ok(items.as_array().with_context(|| format!("no list in {text}"))?.clone())
    }

    /// Waits until control counts `proxies` proxies, all of them on the newest snapshot.
    pub async fn is_synced(&self, proxies: usize) -> Result<()> {
        wait::until("every proxy is SYNCED", async || {
            let listed = self.get("proxies").await?;
            let synced = listed.iter().filter(|proxy| proxy.get("status").and_then(Value::as_str) == Some("SYNCED"));
            ensure!(synced.count() == proxies && listed.len() == proxies, "{listed:?}");
            Ok(())
        })
        .await
    }

    /// Has proxies that are started from now on, and commands, find control there.
    pub fn reach(&mut self, grpc: &str, http: &str) {
        self.grpc = Some(grpc.to_owned());
        self.http = Some(http.to_owned());
    }

    /// Control's HTTP listener.
    pub fn control_http(&self) -> &str {
        self.http.as_deref().unwrap_or_default()
    }

    pub fn control_grpc(&self) -> &str {
        self.grpc.as_deref().unwrap_or_default()
    }
}

impl Proxy {
    fn of(process: Process, node: &str, ports: &Value) -> Result<Self> {
        Ok(Self {
            process,
            node: node.to_owned(),
            outbound: port(ports, "outbound")?,
            inbound: port(ports, "inbound")?,
            admin: port(ports, "admin")?,
            health: port(ports, "health")?,
        })
    }

    /// Waits until this proxy sends calls to so many endpoints of a pool.
    pub async fn can_call(&self, pool: &str, endpoints: usize) -> Result<()> {
        let url = format!("http://{}/clusters", self.admin);
        wait::until(&format!("{} calls {endpoints} of {pool}", self.node), async || {
            let clusters = http::get(&url).await?.json()?;
            let up = endpoints_of(&clusters, pool).iter().filter(|endpoint| is_callable(endpoint)).count();
            ensure!(up == endpoints, "{up} in {clusters}");
            Ok(())
        })
        .await
    }

    /// Where a client calls a target by name.
    pub fn url(&self, target: &str) -> String {
        format!("http://{}/{target}/mcp", self.outbound)
    }

    /// Waits until this proxy's own world has so many endpoints of a pool that take calls.
    pub async fn sees(&self, pool: &str, endpoints: usize) -> Result<()> {
        let url = format!("http://{}/clusters", self.admin);
        wait::until(&format!("{} sees {endpoints} of {pool}", self.node), async || {
            let clusters = http::get(&url).await?.json()?;
            let seen = endpoints_of(&clusters, pool).len();
            ensure!(seen == endpoints, "{seen} in {clusters}");
            Ok(())
        })
        .await
    }

    pub async fn metrics(&self) -> Result<String> {
        Ok(http::get(&format!("http://{}/metrics", self.health)).await?.body)
    }
}

fn endpoints_of(clusters: &Value, pool: &str) -> Vec<Value> {
    let list = clusters.get("items").and_then(Value::as_array);
    let named = list.into_iter().flatten().find(|item| item.get("pool").and_then(Value::as_str) == Some(pool));
    named.and_then(|item| item.get("endpoints")?.as_array().cloned()).unwrap_or_default()
}

fn is_callable(endpoint: &Value) -> bool {
    let says = |name: &str| endpoint.get(name).cloned().unwrap_or_default();
    says("state") == "up" && says("ejected") == false
}

fn port(ports: &Value, name: &str) -> Result<String> {
    let address = ports.get(name).and_then(Value::as_str);
    Ok(address.with_context(|| format!("no {name} in {ports}"))?.to_owned())
}
