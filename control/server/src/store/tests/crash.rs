//! A control that is killed at any of its writes leaves a store in which nothing is half.
//!
//! A child of this test runs a script of commits under `strace`, which kills it at the Nth system call that touches the file. Then the store
//! must open, hold all that was acknowledged and nothing that was only begun, and take the rest of the script.
//! `OUTRIGGER_CRASH_STEP=1` tries every N; without it, every seventh.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use outrigger_control_core::event::{Event, EventKind};
use outrigger_control_core::intent::record::IntentSource;
use outrigger_control_core::keyring::HeldKey;
use outrigger_control_core::port::{Batch, SnapshotRow, Store};
use outrigger_control_core::snapshot::ledger::Ledger;
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::digest::Digest;
use outrigger_model::replica::ReplicaState;
use outrigger_model::resource::{Epoch, ResourceKind, Serial};
use outrigger_model::secret::{SealKey, Secret};

use super::conformance::{intent, standing};
use crate::store::SqliteStore;

/// Commits of the script: registrations and publications, each with something in every table.
const STEPS: u64 = 6;
/// Whatever changes the file or its log.
const TOUCHES: &str = "pwrite64,pwritev,ftruncate,fsync,fdatasync,unlink,rename,fallocate";
const FOLDER: &str = "OUTRIGGER_CRASH_FOLDER";

fn id(step: u64) -> String {
    format!("weather-{step}")
}

fn batch(ledger: &mut Ledger, step: u64) -> Batch {
    let event = |id| Event {
        id,
        at: std::time::UNIX_EPOCH,
        kind: EventKind::ReplicaRegistered,
        subject: self::id(step),
        detail: "x".repeat(500),
    };
    let content = (0..20).map(|number| (ResourceKind::Route, ["a", "b", "c", "d"][number % 4], number));
    let content: Vec<_> =
        content.take(4).map(|(kind, name, _)| (kind, name, Digest::of(&step.to_be_bytes()))).collect();
    let key = HeldKey {
        key: SealKey { id: u32::try_from(step).unwrap(), secret: Secret::new([7; 32]), made: step },
        seals_since: None,
    };
    Batch {
        serial: Serial(step),
        intent: Some(Digest::of(&step.to_be_bytes())),
        intents: vec![intent(step, IntentSource::Published)],
        put: vec![standing(&id(step), ReplicaState::Healthy)],
        removed: step
            .checked_sub(2)
            .filter(|gone| *gone > 0)
            .map(|gone| id(gone).parse().unwrap())
            .into_iter()
            .collect(),
        events: vec![event(2 * step - 1), event(2 * step)],
        snapshots: vec![SnapshotRow {
            serial: Serial(step),
            epoch: Epoch(1),
            digest: Digest::of(b"x"),
            made_at: std::time::UNIX_EPOCH,
            reason: "x".to_owned(),
        }],
        ledger: vec![ledger.advance(&ViewKey::base(), content, Serial(step))],
        keys: Some(vec![key]),
        ..Batch::default()
    }
}

fn acknowledged(folder: &Path) -> u64 {
    let text = fs::read_to_string(folder.join("acknowledged")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).max().unwrap_or(0)
}

/// The whole script, from wherever the store is.
async fn run(folder: &Path) {
    let store = SqliteStore::open(&folder.join("control.db")).await.unwrap();
    let stored = store.load().await.unwrap();
    let mut ledger = stored.ledger;
    let mut acknowledged = fs::OpenOptions::new().create(true).append(true).open(folder.join("acknowledged")).unwrap();
    for step in stored.serial.0 + 1..=STEPS {
        store.commit(&batch(&mut ledger, step)).await.unwrap();
        writeln!(acknowledged, "{step}").unwrap();
    }
    store.close().await;
}

/// Every table says the same: that so many steps were taken, whole.
async fn check(folder: &Path, at: &str) -> u64 {
    let store = SqliteStore::open(&folder.join("control.db")).await.unwrap();
    let stored = store.load().await.unwrap();
    let step = stored.serial.0;
    assert!(stored.damaged.is_empty(), "{at}: {:?}", stored.damaged);
    assert!((acknowledged(folder)..=STEPS).contains(&step), "{at}: {step} went back");
    let ids: Vec<String> = stored.standings.iter().map(|standing| standing.replica.id.to_string()).collect();
    let expected: Vec<String> = (step.saturating_sub(1).max(1)..=step).map(id).collect();
    assert_eq!(ids, expected, "{at}");
    assert_eq!(store.last_event().await.unwrap(), 2 * step, "{at}");
    assert_eq!(stored.intent_record.map_or(0, |record| record.number), step, "{at}");
    assert_eq!(store.snapshots(1).await.unwrap().first().map_or(0, |row| row.serial.0), step, "{at}");
    let entries = stored.ledger.view(&ViewKey::base()).map(|view| (view.serial.0, view.entries.len()));
    assert_eq!(entries.unwrap_or_default(), if step == 0 { (0, 0) } else { (step, 4) }, "{at}");
    assert_eq!(stored.keys.first().map_or(0, |held| u64::from(held.key.id)), step, "{at}");
    assert_eq!(stored.intent.is_some(), step > 0, "{at}");
    step
}

/// Runs the script in a child that is killed at its Nth touch; true if it got through.
fn survives(folder: &Path, touch: usize) -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={TOUCHES}")]);
    strace.args(["-e", &format!("inject={TOUCHES}:signal=KILL:when={touch}")]);
    strace.arg(std::env::current_exe().unwrap()).args(["--exact", "store::tests::crash::script", "--ignored"]);
    strace.env(FOLDER, folder).stdout(Stdio::null()).stderr(Stdio::null());
    strace.status().expect("strace; tests/setup.sh installs it").success()
}

#[tokio::test]
async fn a_control_that_is_killed_at_any_write_leaves_a_whole_store() {
    let step = std::env::var("OUTRIGGER_CRASH_STEP").ok().and_then(|step| step.parse().ok()).unwrap_or(7);
    let (mut touch, mut seen) = (1, std::collections::BTreeSet::new());
    loop {
        let folder = tempfile::tempdir().unwrap();
        let is_through = survives(folder.path(), touch);
        let at = format!("killed at touch {touch}");
        let is_there = folder.path().join("control.db").exists();
        seen.insert(if is_there { check(folder.path(), &at).await } else { 0 });
        if is_through {
            break;
        }
        run(folder.path()).await;
        assert_eq!(check(folder.path(), &at).await, STEPS, "{at}: and it takes the rest");
        touch += step;
    }
    println!("killed at {} of {touch} touches, with {seen:?} commits done", touch / step);
    assert!(seen.len() as u64 >= STEPS / 2, "kills in all parts of the script: {seen:?}");
}

/// What the child does.
#[tokio::test]
#[ignore = "the child of the test above"]
async fn script() {
    let folder = PathBuf::from(std::env::var(FOLDER).expect("the test above sets it"));
    run(&folder).await;
}
