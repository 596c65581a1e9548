//! Clients of others that follow snapshots while control goes and comes back: a script, a Rust program, the command line.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use outrigger_tests::mesh::Mesh;
use outrigger_tests::process::Process;
use outrigger_tests::{binary, http};
use serde_json::Value;
use tokio::process::Command;

/// Declared routes: facts that change when the test says so.
fn routes(names: &[&str]) -> String {
    let routes = names.iter().map(|name| format!("{{name: {name}, capability: weather}}"));
    format!("routes: [{}]\n", routes.collect::<Vec<_>>().join(", "))
}

async fn started(names: &[&str]) -> Result<Mesh> {
    let mut mesh = Mesh::new().await?.declaring(&routes(names));
    mesh.start_control().await?;
    Ok(mesh)
}

/// Control stops, which stores what is left, and comes back with these routes in its file.
async fn comes_back_with(mesh: &mut Mesh, names: &[&str]) -> Result<()> {
    mesh.control.take().context("control does not run")?.stop().await?;
    mesh.intent = routes(names);
    mesh.start_control().await
}

/// The same, as when the machine takes it away: the store may not know what was told last.
async fn is_killed_and_comes_back_with(mesh: &mut Mesh, names: &[&str]) -> Result<()> {
    mesh.kill_control().await?;
    mesh.intent = routes(names);
    mesh.start_control().await
}

async fn declared(mesh: &Mesh) -> Result<BTreeSet<String>> {
    let url = format!("http://{}/v1/snapshot?types=Route", mesh.control_http());
    let snapshot = http::get(&url).await?.json()?;
    let names = snapshot["resources"].as_array().context("resources")?.iter();
    Ok(names.filter_map(|resource| resource["name"].as_str().map(str::to_owned)).collect())
}

/// What a reader holds by what it printed: `added Route a`, `removed Route a`.
fn held(log: &str, separator: char) -> BTreeSet<String> {
    let mut held = BTreeSet::new();
    for line in log.lines() {
        if line.starts_with("reset") {
            held.clear();
        }
        let Some((op, rest)) = line.split_once(' ') else { continue };
        let Some(name) = rest.split_once(separator).filter(|(kind, _)| *kind == "Route").map(|(_, name)| name) else {
            continue;
        };
        match op {
            "added" | "changed" => held.insert(name.to_owned()),
            "removed" => held.remove(name),
            _ => false,
        };
    }
    held
}

/// Lines that begin so.
fn count(log: &str, begins: &str) -> usize {
    log.lines().filter(|line| line.starts_with(begins)).count()
}

#[tokio::test]
async fn a_script_of_twenty_lines_misses_nothing_while_control_goes_and_comes_back() -> Result<()> {
    let mut mesh = started(&["a"]).await?;
    let mut python = Command::new("python3");
    let script = binary::root().join("config-examples/watch/watch.py");
    python.arg(script).arg(format!("http://{}", mesh.control_http())).arg("Route");
    let mut script = Process::start("watch.py", mesh.folder(), python)?;
    script.says("added Route a").await?;
    mesh.declare(&routes(&["a", "b"])).await?;
    script.says("added Route b").await?;
    // Something changed while control was away, the other time nothing did.
    comes_back_with(&mut mesh, &["b", "c"]).await?;
    script.says("removed Route a").await?;
    script.says("added Route c").await?;
    comes_back_with(&mut mesh, &["b", "c"]).await?;
    mesh.declare(&routes(&["b", "c", "d"])).await?;
    script.says("added Route d").await?;
    let log = script.log();
    assert_eq!(held(&log, ' '), declared(&mesh).await?, "{log}");
    assert_eq!((count(&log, "reset"), count(&log, "added Route b")), (0, 1), "it went on where it was: {log}");
    is_killed_and_comes_back_with(&mut mesh, &["e"]).await?;
    script.says("added Route e").await?;
    script.says("synced").await?;
    let log = script.log();
    assert_eq!(held(&log, ' '), declared(&mesh).await?, "{log}");
    Ok(())
}

#[tokio::test]
async fn the_example_in_rust_runs_as_it_stands_and_goes_on_over_a_restart() -> Result<()> {
    let mut mesh = started(&["a"]).await?;
    mesh.issue("operator/you", "you").await?;
    let mut command = Command::new(binary::watch_example()?);
    command.arg(mesh.control_grpc()).arg(mesh.file("you/you.pem"));
    let mut example = Process::start("example", mesh.folder(), command)?;
    example.says("added Route/a").await?;
    example.says("synced ").await?;
    is_killed_and_comes_back_with(&mut mesh, &["b"]).await?;
    example.says("removed Route/a").await?;
    example.says("added Route/b").await?;
    let log = example.log();
    assert_eq!(held(&log, '/'), declared(&mesh).await?, "{log}");
    assert_eq!(count(&log, "control counts anew"), 0, "{log}");
    Ok(())
}

/// `outrigger watch --kind route`, as an operator would run it.
fn watching(mesh: &Mesh, name: &str, also: &[&str]) -> Result<Process> {
    let mut command = Command::new(binary::outrigger()?);
    let identity = mesh.file("you/you.pem");
    command.args(["watch", "--kind", "route", "--grpc", mesh.control_grpc(), "--identity"]).arg(identity).args(also);
    Process::start(name, mesh.folder(), command)
}

#[tokio::test]
async fn the_command_goes_on_over_restarts_and_from_a_place_and_says_when_it_starts_over() -> Result<()> {
    let mut mesh = started(&["a"]).await?;
    mesh.issue("operator/you", "you").await?;
    let mut whole = watching(&mesh, "whole", &[])?;
    let synced = whole.says("SYNCED").await?;
    let since = synced.split_whitespace().nth(1).context("a place")?.to_owned();
    mesh.declare(&routes(&["a", "b"])).await?;
    whole.says("ADDED    Route       b").await?;

    let mut from = watching(&mesh, "from", &["--since", &since])?;
    from.says("ADDED    Route       b").await?;
    assert_eq!(count(&from.log(), "ADDED    Route       a"), 0, "{}", from.log());
    comes_back_with(&mut mesh, &["b", "c"]).await?;
    for watch in [&mut whole, &mut from] {
        watch.says("REMOVED  Route       a").await?;
        watch.says("ADDED    Route       c").await?;
        assert_eq!(count(&watch.log(), "RESET"), 0, "{}", watch.log());
    }

    // Another store: serials begin again. What differs is listed by who knows what it held, everything by who does not.
    mesh.kill_control().await?;
    for file in ["control.db", "control.db-wal", "control.db-shm"] {
        let _ = std::fs::remove_file(mesh.file("control").join(file));
    }
    mesh.intent = routes(&["b", "d"]);
    mesh.start_control().await?;
    for watch in [&mut whole, &mut from] {
        watch.says("RESET").await?;
        watch.says("ADDED    Route       d").await?;
    }
    assert_eq!(count(&whole.log(), "ADDED    Route       b"), 1, "{}", whole.log());
    assert_eq!(count(&from.log(), "ADDED    Route       b"), 2, "{}", from.log());
    Ok(())
}

#[tokio::test]
async fn lines_for_scripts_say_where_to_go_on() -> Result<()> {
    let mesh = started(&["a"]).await?;
    mesh.issue("operator/you", "you").await?;
    let identity = mesh.file("you/you.pem").display().to_string();
    let words = ["watch", "-o", "json", "--snapshots", "1", "--grpc", mesh.control_grpc(), "--identity", &identity];
    let first = mesh.must(&words).await?;
    let synced: Value = serde_json::from_str(first.lines().last().context("a line")?)?;
    let since = synced["since"].as_str().context("since")?;
    let again = mesh.must(&[&words[..], &["--since", since]].concat()).await?;
    assert_eq!(again.lines().count(), 1, "nothing changed since: {again}");
    assert_eq!(serde_json::from_str::<Value>(&again)?["since"], since);
    Ok(())
}
