//! The commands for the rows of the targets, each with tiny counts against real processes, and what their counting rests on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use outrigger_load_tests::echo::Era;
use outrigger_load_tests::generate::{Dress, Target};
use outrigger_load_tests::outages::aftermath::aftermath;
use outrigger_load_tests::outages::traffic::{Fate, Traffic};
use outrigger_load_tests::outages::witness::Testimony;
use outrigger_load_tests::peers::Place;
use outrigger_load_tests::peers::cores::Cores;
use outrigger_load_tests::row::Row;
use outrigger_load_tests::stage::agent::Agent;

/// Each of these starts up to nine processes, so one runs at a time.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn load() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_outrigger-load"))
}

/// The binary to measure, built beside the harness; together with what the whole-mesh tests build, so that it is built once.
fn outrigger() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let load = load();
        let profile = load.parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--quiet", "-p", "outrigger", "-p", "counter-agent", "--target-dir"])
            .arg(profile.parent().unwrap());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        let done = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        profile.join("outrigger")
    })
}

fn place() -> Place {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).to_owned();
    Place { home, load: load(), outrigger: outrigger().to_owned(), cores: Cores::of_this_machine() }
}

/// Runs one command as it would be typed, and reads what it kept.
fn row(words: &str) -> Row {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("row.json");
    let mut command = Command::new(load());
    command.args(words.split(' ')).arg("--out").arg(&out).env("OUTRIGGER_BIN", outrigger());
    let done = command.output().unwrap();
    assert!(done.status.success(), "{words}: {}", String::from_utf8_lossy(&done.stderr));
    let row: Row = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    assert!(String::from_utf8_lossy(&done.stdout).contains(&row.markdown()));
    row
}

/// The first figure whose name begins and ends like this.
fn figure(row: &Row, begins: &str, ends: &str) -> f64 {
    let named = row.figures.iter().find(|figure| figure.what.starts_with(begins) && figure.what.ends_with(ends));
    named.unwrap_or_else(|| panic!("no `{begins}…{ends}` in {:#?}", row.figures)).value
}

#[test]
fn reports_are_counted_by_control_with_a_short_and_a_long_log() {
    let _turn = turn();
    let words = "control registry --agents 5 --capabilities-each 2 --events 1200 --paced-per-second 100 \
                 --paced-seconds 1 --lights 500 --fulls 50";
    let row = row(words);
    let paced = figure(&row, "light, one by one", "events stored");
    assert!((50.0..=101.0).contains(&paced), "100 signals take a second: {paced}");
    for kind in ["light, as fast as taken", "full, nothing changed", "full, with a change"] {
        assert!(figure(&row, kind, "stored") > 0.0);
    }
    let lengths: Vec<u64> = row.figures.iter().filter_map(|figure| stored(&figure.what)).collect();
    assert!(lengths.iter().any(|stored| *stored < 200) && lengths.iter().any(|stored| *stored >= 1_200), "{lengths:?}");
}

/// `…, 1234 events stored`
fn stored(what: &str) -> Option<u64> {
    what.strip_suffix(" events stored")?.rsplit(' ').next()?.parse().ok()
}

#[test]
fn a_requirement_is_resolved_inside_and_over_http() {
    let _turn = turn();
    let row = row("control resolution --capabilities 1000 --count 200 --http-count 20");
    assert!(figure(&row, "in the core, 100 agents", "p50") > 0.0);
    assert!(figure(&row, "GET /v1/explain", "p50") > 0.0);
}

#[test]
fn a_change_reaches_every_watcher_and_costs_bytes_of_its_own_size() {
    let _turn = turn();
    let row = row("control changes --watchers 6 --replicas 5,200 --changes 3");
    let bytes = |replicas: &str| figure(&row, &format!("mesh of {replicas} replicas: bytes per proxy"), "change");
    assert!(bytes("5") > 0.0);
    assert!(bytes("200") < bytes("5") * 2.0, "{} and {}", bytes("5"), bytes("200"));
    let whole = |replicas: &str| figure(&row, &format!("mesh of {replicas} replicas: bytes of the whole"), "proxy");
    assert!(whole("200") > whole("5") * 5.0);
    assert!(figure(&row, "mesh of 5 replicas: change", "in every proxy, p50") > 0.0);
    let back = figure(&row, "mesh of 200 replicas: control restarts", "bytes per proxy");
    assert!(back > 0.0 && back < 1_000.0, "who holds everything is told by its name: {back}");
}

#[test]
fn plain_watchers_are_told_once_and_come_back_without_being_told_again() {
    let _turn = turn();
    let row = row("control watchers --watchers 12 --replicas 5 --changes 2");
    assert!(figure(&row, "change → acknowledged by all, p50", "p50") > 0.0);
    assert_eq!(figure(&row, "restart, nothing changed: answers", "in them"), 0.0);
    assert_eq!(figure(&row, "restart, nothing changed: bytes", "watcher"), 0.0, "nothing changed");
    assert!(figure(&row, "one takes nothing: change → acknowledged by all, p50", "p50") > 0.0);
    let everything = self::row("control watchers --watchers 12 --replicas 5 --changes 2 --everything");
    assert_eq!(figure(&everything, "restart, nothing changed: answers", "in them"), 0.0);
    let named = figure(&everything, "restart, nothing changed: bytes", "watcher");
    assert!(named > 0.0 && named < 500.0, "the Manifest by its name: {named}");
}

#[test]
fn control_may_be_killed_under_load() {
    let _turn = turn();
    let row = row("outages control-killed --kills 2 --per-second 40 --quiet-seconds 1");
    assert!(row.value("calls").unwrap() >= 80.0);
    assert_eq!(row.value("calls that failed, were wrong or misrouted"), Some(0.0), "{:?}", row.notes);
}

#[test]
fn redis_may_be_killed_under_load() {
    let _turn = turn();
    let row = row("outages redis-killed --rounds 1 --seconds 2 --per-second 40");
    assert!(row.value("calls with a kill").unwrap() >= 40.0);
    assert_eq!(row.value("failed calls of known sessions, with a kill"), Some(0.0), "{:?}", row.notes);
    assert_eq!(row.value("of them failed"), Some(0.0));
}

#[test]
fn what_sessions_cost_is_measured_in_the_proxy_and_in_redis() {
    let _turn = turn();
    let kept = row("sessions kept --sessions 200");
    assert_eq!(kept.value("keys in Redis, per session"), Some(1.0));
    assert!(kept.value("Redis, per session").unwrap() > 0.0);
    assert!(kept.value("of it one binding, by MEMORY USAGE").unwrap() > 0.0);
    let followed = row("sessions followed --rounds 1 --calls 200");
    assert!(followed.value("CPU of a call in a session").unwrap() > 0.0);
    assert_eq!(followed.value("faults"), Some(0.0), "{:?}", followed.notes);
}

#[test]
fn facts_may_be_changed_under_load() {
    let _turn = turn();
    let row = row("outages hot-changes --changes 8 --per-second 40");
    assert_eq!(row.value("changes that every proxy applied"), Some(8.0));
    assert_eq!(row.value("calls that failed, were wrong or misrouted"), Some(0.0), "{:?}", row.notes);
}

#[test]
fn a_replica_may_die_in_every_way_and_what_it_costs_is_seen() {
    let _turn = turn();
    let row = row("outages dead-replica --rounds 1 --quiet-seconds 1 --watch-seconds 3 --deadline-ms 400");
    let hung = figure(&row, "hung, agent stopped: longest", "call");
    assert!(hung >= 400.0, "a call that a hung replica holds waits for its deadline: {hung} ms");
    assert!(figure(&row, "hung, agent stopped: calls", "failed") >= 1.0);
    assert!(figure(&row, "silent host: calls", "failed") >= 1.0);
}

#[test]
fn a_replica_killed_in_the_middle_of_calls_fails_some_and_repeats_none() {
    let _turn = turn();
    let row = row("outages replica-killed --kills 2 --per-second 100 --delay-ms 50");
    for kind in ["idempotent", "not idempotent"] {
        assert!(row.value(&format!("{kind}: calls")).unwrap() >= 100.0);
        assert_eq!(row.value(&format!("{kind}: executed twice")), Some(0.0));
    }
}

#[test]
fn python_agents_are_called_both_ways() {
    let _turn = turn();
    let row = row("outages python --calls 4 --rounds 1");
    for sdk in ["mcp", "fastmcp"] {
        assert!(figure(&row, sdk, "direct, p50") > 0.0);
        assert!(figure(&row, sdk, "through the proxy, p50") > 0.0);
    }
}

/// No proxy in between, so whatever the death costs is lost, and has to be seen.
#[tokio::test]
#[allow(clippy::await_holding_lock, reason = "it is held to the end, and every test has a runtime of its own")]
async fn calls_that_a_death_costs_are_counted_as_lost() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(&place(), folder.path(), "agent", "echo-0", &[]).await.unwrap();
    let target = Target::new(agent.address, "/mcp");
    let traffic = Traffic::start(&target, &Dress::plain(Era::Modern), 4, 100).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let fault = traffic.started.elapsed();
    agent.part.kill().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    agent.again().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let seen = traffic.end().await.unwrap();
    let lost = seen.calls.iter().filter(|call| call.fate == Fate::Lost).count();
    assert!(lost >= 5, "{lost} of {}", seen.calls.len());
    assert_eq!(seen.tally.lost, lost as u64);
    let found = aftermath(&seen.calls, fault, Duration::from_millis(20));
    assert!(found.failed == lost && found.last_ended >= Duration::from_millis(200), "{found:?}");
    let last = seen.calls.iter().max_by_key(|call| call.due).unwrap();
    assert_eq!(last.fate, Fate::Answered, "callers connect again");
}

#[tokio::test]
#[allow(clippy::await_holding_lock, reason = "it is held to the end, and every test has a runtime of its own")]
async fn what_was_executed_is_known_after_the_death_of_who_executed_it() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let logs = ["one", "two"].map(|name| folder.path().join(format!("{name}.log")));
    let mut ran = 0;
    for name in ["one", "two"] {
        let also = ["--log", &format!("{name}.log"), "--delay-ms", "5"].map(str::to_owned);
        let mut agent = Agent::start(&place(), folder.path(), "witness", name, &also).await.unwrap();
        let target = Target::new(agent.address, "/mcp");
        // Both count from 0, as if every call had been sent to both.
        let traffic = Traffic::start(&target, &Dress::plain(Era::Modern), 2, 100).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        agent.part.kill().await.unwrap();
        let seen = traffic.end().await.unwrap();
        ran = seen.calls.iter().filter(|call| call.fate == Fate::Answered).count();
        assert!(ran >= 5, "{ran}");
    }
    let testimony = Testimony::read(&logs).unwrap();
    assert!(testimony.twice() >= 5 && testimony.executed() >= ran, "{} {}", testimony.twice(), testimony.executed());
}
