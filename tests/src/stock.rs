//! Stock xDS clients beside a mesh: real Envoys and gRPC channels, with the bootstraps of `config-examples/envoy`.
//!
//! In: where control is. Out: an Envoy to call and to kill, or what a gRPC channel did.
//! Never here: our own proxies; those are `mesh`.
//! Invariant: an Envoy listens where the system let it, and the bootstrap that people copy differs from the one that runs in addresses only.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::http;
use crate::peers::installed;
use crate::process::Process;
use crate::{binary, wait};

/// A running Envoy.
pub struct Envoy {
    pub process: Process,
    pub node: String,
    admin: String,
    listens: String,
}

/// How an Envoy is started.
pub struct Bootstrap {
    /// Which of the examples: `envoy-sotw`, `envoy-delta`, `envoy-mtls`.
    pub example: &'static str,
    pub node: String,
    /// Beside its own, in `node.metadata`.
    pub metadata: Value,
}

/// A file of `config-examples/envoy`.
pub fn example(name: &str) -> PathBuf {
    binary::root().join("config-examples/envoy").join(name)
}

impl Bootstrap {
    pub fn of(example: &'static str, node: &str) -> Self {
        Self { example, node: node.to_owned(), metadata: json!({}) }
    }

    /// The example, with this control and with free ports in place of those that are written there.
    fn write(&self, folder: &Path, grpc: &str) -> Result<PathBuf> {
        let text = std::fs::read_to_string(example(&format!("{}.json", self.example)))?;
        let mut bootstrap: Value = serde_json::from_str(&text)?;
        let mut put = |path: &str, value: Value| -> Result<()> {
            *bootstrap.pointer_mut(path).with_context(|| format!("no {path} in {}", self.example))? = value;
            Ok(())
        };
        let (host, port) = grpc.rsplit_once(':').context("an address")?;
        let control =
            "/static_resources/clusters/0/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
        put(&format!("{control}/address"), json!(host))?;
        put(&format!("{control}/port_value"), json!(port.parse::<u16>()?))?;
        put("/admin/address/socket_address/port_value", json!(0))?;
        put("/node/id", json!(self.node))?;
        put("/node/metadata/listen", json!("127.0.0.1:0"))?;
        let metadata = bootstrap.pointer_mut("/node/metadata").and_then(Value::as_object_mut).context("metadata")?;
        metadata.extend(self.metadata.as_object().cloned().unwrap_or_default());
        let file = folder.join(format!("{}.json", self.node));
        std::fs::write(&file, bootstrap.to_string())?;
        Ok(file)
    }
}

impl Envoy {
    /// Starts one in `folder`, where the files are that its bootstrap names, and waits until its admin answers.
    pub async fn start(bootstrap: &Bootstrap, folder: &Path, grpc: &str) -> Result<Self> {
        let file = bootstrap.write(folder, grpc)?;
        let address = folder.join(format!("{}.admin", bootstrap.node));
        let _ = std::fs::remove_file(&address);
        let mut command = Command::new(installed("xds/envoy")?);
        command.arg("--config-path").arg(file).arg("--admin-address-path").arg(&address);
        command.args(["--use-dynamic-base-id", "--concurrency", "1", "--log-level", "warning"]).current_dir(folder);
        let mut process = Process::start(&bootstrap.node, folder, command)?;
        let admin = wait::until("Envoy has an admin", async || {
            ensure!(process.is_running(), "it ended: {}", process.log());
            let text = std::fs::read_to_string(&address)?;
            ensure!(text.contains(':'), "{text}");
            Ok(text)
        })
        .await?;
        Ok(Self { process, node: bootstrap.node.clone(), admin, listens: String::new() })
    }

    /// Waits until it has the listener that control told it of.
    pub async fn is_told(&mut self) -> Result<()> {
        let url = format!("http://{}/listeners?format=json", self.admin);
        self.listens = wait::until("Envoy has a listener", async || {
            ensure!(self.process.is_running(), "it ended: {}", self.process.log());
            let told = http::get(&url).await?.json()?;
            let port =
                told.pointer("/listener_statuses/0/local_address/socket_address/port_value").and_then(Value::as_u64);
            Ok(format!("127.0.0.1:{}", port.with_context(|| format!("no port in {told}"))?))
        })
        .await?;
        Ok(())
    }

    /// Where a client calls a target by name.
    pub fn url(&self, target: &str) -> String {
        format!("http://{}/{target}/mcp", self.listens)
    }

    /// One of its counters.
    pub async fn counter(&self, name: &str) -> Result<u64> {
        let told = http::get(&format!("http://{}/stats?filter=^{}$", self.admin, name.replace('.', "\\."))).await?.body;
        let line = told.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        Ok(line.with_context(|| format!("no {name} in `{told}`"))?.parse()?)
    }
}

/// What `GET /v1/stock` says of one node.
pub async fn told(control_http: &str, node: &str) -> Result<Value> {
    let told = http::get(&format!("http://{control_http}/v1/stock")).await?.json()?;
    let items = told.get("items").and_then(Value::as_array).context("items")?;
    let own = items.iter().find(|item| item.get("node").and_then(Value::as_str) == Some(node));
    Ok(own.with_context(|| format!("no {node} in {told}"))?.clone())
}

/// A gRPC server that answers with its name.
pub struct GrpcServer {
    pub process: Process,
    pub address: String,
}

impl GrpcServer {
    pub async fn start(name: &str, folder: &Path) -> Result<Self> {
        let mut process = Process::start(name, folder, python("grpc_server.py", &[name])?)?;
        let line = process.says("listens on ").await?;
        let address = line.rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { process, address })
    }
}

/// Calls a target `times` times over one channel; what it printed, a line per call.
pub async fn grpc_calls(folder: &Path, grpc: &str, target: &str, times: usize) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(example("grpc.json"))?.replace("127.0.0.1:17010", grpc);
    let file = folder.join("grpc.json");
    std::fs::write(&file, text)?;
    let mut command = python("grpc_client.py", &[target, &times.to_string()])?;
    command.env("GRPC_XDS_BOOTSTRAP", &file).env("GRPC_EXPERIMENTAL_XDS_DATA_ERROR_HANDLING", "true");
    let done = tokio::time::timeout(Duration::from_secs(40), command.kill_on_drop(true).output()).await;
    let done = done.context("the client does not end")??;
    if !done.status.success() {
        bail!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    }
    Ok(String::from_utf8_lossy(&done.stdout).lines().map(str::to_owned).collect())
}

fn python(script: &str, words: &[&str]) -> Result<Command> {
    let mut command = Command::new(installed("xds/python/bin/python")?);
    command.arg(binary::root().join("tests/peers").join(script)).args(words).env("PYTHONUNBUFFERED", "1");
    Ok(command)
}
