//! What a new user does: the demo, `up` beside servers that already run, the commands of the README.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use outrigger_tests::fleet::REPLICAS;
use outrigger_tests::mcp::Session;
use outrigger_tests::peers::{Agent, Client, ClientSdk, Sdk};
use outrigger_tests::process::Process;
use outrigger_tests::{binary, http, wait};
use serde_json::Value;
use tokio::process::Command;

const FREE_PORTS: [&str; 5] = ["--outbound", "--grpc", "--http", "--admin", "--health"];

/// `outrigger up` on free ports, once it has written where it listens.
async fn up(targets: &[String], folder: &Path) -> Result<(Process, Value)> {
    let ports_file = folder.join("up.ports.json");
    let mut command = Command::new(binary::outrigger()?);
    command.arg("up").args(targets).arg("--ports-file").arg(&ports_file).env_remove("REDIS_URL");
    for flag in FREE_PORTS {
        command.args([flag, "127.0.0.1:0"]);
    }
    let process = Process::start("up", folder, command)?;
    let ports = wait::until("up listens", async || Ok(serde_json::from_str(&std::fs::read_to_string(&ports_file)?)?));
    let ports = ports.await.with_context(|| process.log())?;
    Ok((process, ports))
}

fn port(ports: &Value, name: &str) -> Result<String> {
    Ok(ports.get(name).and_then(Value::as_str).with_context(|| format!("no {name} in {ports}"))?.to_owned())
}

#[tokio::test]
async fn up_stands_beside_servers_in_three_languages() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let python = Agent::start(Sdk::Python, "python-1", folder.path()).await?;
    let typescript = Agent::start(Sdk::Everything, "typescript-1", folder.path()).await?;
    let mut rust = vec![];
    for replica in REPLICAS {
        rust.push(Agent::start(Sdk::Rust, replica, folder.path()).await?);
    }
    let urls: Vec<String> = rust.iter().map(Agent::url).collect();
    let targets = [
        format!("python={}", python.url()),
        format!("typescript={}", typescript.url()),
        format!("rust={}", urls.join(",")),
    ];
    let (mut up, ports) = up(&targets, folder.path()).await?;
    let outbound = port(&ports, "outbound")?;
    for words in ["increment", "get-env", "whoami", "2026-07-28", "3/3 healthy", "sessions in memory", "outrigger call"]
    {
        up.says(words).await?;
    }
    for (name, client, tool) in [
        ("python", ClientSdk::TypeScriptLegacy, "increment"),
        ("typescript", ClientSdk::PythonLegacy, "get-env"),
        ("rust", ClientSdk::PythonLegacy, "increment"),
    ] {
        let url = format!("http://{outbound}/{name}/mcp");
        assert!(up.log().contains(&url), "the URL is printed");
        let mut client = Client::start(client, &url, &format!("client-of-{name}"), folder.path())?;
        client.open("one").await?;
        client.call("one", tool).await?;
        client.call("one", tool).await?;
    }
    let status = up.interrupt().await?;
    assert!(status.success(), "Ctrl-C is no failure: {status}");
    for name in ["outbound", "admin", "health", "grpc", "http"] {
        assert!(http::get(&format!("http://{}/", port(&ports, name)?)).await.is_err(), "{name} still listens");
    }
    Ok(())
}

#[tokio::test]
async fn up_takes_in_a_server_that_starts_later() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut late = Agent::start(Sdk::Rust, "late-1", folder.path()).await?;
    late.process.kill().await?;
    let (_up, ports) = up(&[format!("late={}", late.url())], folder.path()).await?;
    late.start_again().await?;
    let url = format!("http://{}/late/mcp", port(&ports, "outbound")?);
    let session = wait::until("a session", async || Session::open(&url).await).await?;
    assert_eq!(session.call("increment").await?, "late-1 counts 1");
    Ok(())
}

/// The whole story, as `make demo` tells it once everything is built.
#[tokio::test]
async fn the_demo_sees_what_it_tells_and_leaves_nothing_behind() -> Result<()> {
    let folder = tempfile::tempdir()?;
    binary::counter()?;
    let outrigger = binary::outrigger()?;
    let mut command = Command::new(binary::root().join("config-examples/demo/run.sh"));
    command.env("OUTRIGGER_BIN", outrigger.parent().context("a folder")?).env("TMPDIR", folder.path());
    let mut demo = Process::start("demo", folder.path(), command)?;
    let status = demo.ended_within(Duration::from_secs(110)).await?;
    assert!(status.success(), "{status}\n{}", demo.log());
    for words in ["SYNCED", "404"] {
        assert!(demo.log().contains(words), "no {words} in the story:\n{}", demo.log());
    }
    let left: Vec<_> = std::fs::read_dir(folder.path())?.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    assert_eq!(left, ["demo.log"], "files are left");
    Ok(())
}

/// The shell commands of the README that begin with `outrigger`.
fn commands_of_the_readme() -> Result<Vec<Vec<String>>> {
    let text = std::fs::read_to_string(binary::root().join("README.md"))?;
    let blocks = text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n"));
    let lines = blocks.flat_map(str::lines).map(|line| line.split('#').next().unwrap_or_default());
    let commands = lines.filter_map(|line| line.trim().strip_prefix("outrigger "));
    Ok(commands.map(|words| words.split_whitespace().map(str::to_owned).collect()).collect())
}

fn find<'a>(commands: &'a [Vec<String>], verb: &str) -> Result<&'a Vec<String>> {
    commands.iter().find(|words| words.first().is_some_and(|word| word == verb)).with_context(|| format!("no {verb}"))
}

/// Every command is run as it is written, but for ports that are free and servers that are ours.
#[tokio::test]
async fn the_commands_of_the_readme_work() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let commands = commands_of_the_readme()?;
    let first = Agent::start(Sdk::Rust, "weather-1", folder.path()).await?;
    let second = Agent::start(Sdk::Rust, "weather-2", folder.path()).await?;
    let words = find(&commands, "up")?;
    let target = words.get(1).context("a target")?.replace("http://127.0.0.1:8081/mcp", &first.url());
    let target = target.replace("http://127.0.0.1:8082/mcp", &second.url());
    let (mut up, ports) = up(&[target], folder.path()).await?;
    up.says("2/2 healthy").await?;
    let mut asked = 0;
    for words in commands.iter().filter(|words| ["get", "explain"].contains(&words[0].as_str())) {
        let mut command = Command::new(binary::outrigger()?);
        command.args(words).env("OUTRIGGER_CONTROL_HTTP", port(&ports, "http")?);
        let done = command.output().await?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        ensure!(done.status.success(), "{words:?}: {said}{}", String::from_utf8_lossy(&done.stderr));
        ensure!(said.contains("weather") || said.contains("SYNCED"), "{words:?}: {said}");
        asked += 1;
    }
    assert!(asked >= 3, "{commands:?}");
    up.interrupt().await?;
    Ok(())
}

/// Separate processes from the files of the quickstart, moved to free ports by the environment, as an operator would.
#[tokio::test]
async fn the_quickstart_of_the_readme_works() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let commands = commands_of_the_readme()?;
    let agent = Agent::start(Sdk::Rust, "counter-1", folder.path()).await?;
    let (control_ports, proxy_ports) = (folder.path().join("control.json"), folder.path().join("proxy.json"));
    let start = |verb: &str, ports: &Path, environment: Vec<(&str, String)>| {
        let mut command = Command::new(binary::outrigger()?);
        command.args(find(&commands, verb)?).arg("--ports-file").arg(ports);
        command.current_dir(binary::root()).env_remove("REDIS_URL").envs(environment);
        Process::start(verb, folder.path(), command)
    };
    let free = || "127.0.0.1:0".to_owned();
    let store = format!("sqlite:{}", folder.path().join("control.db").display());
    let environment =
        vec![("OUTRIGGER_LISTEN__GRPC", free()), ("OUTRIGGER_LISTEN__HTTP", free()), ("OUTRIGGER_STORE", store)];
    let control = start("control", &control_ports, environment)?;
    let read = async |file: &Path, process: &Process| -> Result<Value> {
        let ports = wait::until("the ports", async || Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?));
        ports.await.with_context(|| process.log())
    };
    let ports = read(&control_ports, &control).await?;
    let agents = format!("[{{name: counter, replica: counter-1, url: \"{}\", version: 1.0.0}}]", agent.url());
    let environment = vec![
        ("OUTRIGGER_LISTEN__OUTBOUND", free()),
        ("OUTRIGGER_LISTEN__INBOUND", free()),
        ("OUTRIGGER_LISTEN__ADMIN", free()),
        ("OUTRIGGER_LISTEN__HEALTH", free()),
        ("OUTRIGGER_CONTROL__ADDRESS", port(&ports, "grpc")?),
        ("OUTRIGGER_SNAPSHOT__FILE", folder.path().join("snapshot.bin").display().to_string()),
        ("OUTRIGGER_AGENTS", agents),
    ];
    let proxy = start("proxy", &proxy_ports, environment)?;
    let ports = read(&proxy_ports, &proxy).await?;
    let url = format!("http://{}/counter/mcp", port(&ports, "outbound")?);
    let session = wait::until("a session", async || Session::open(&url).await).await;
    assert_eq!(session.with_context(|| proxy.log())?.call("increment").await?, "counter-1 counts 1");
    Ok(())
}
