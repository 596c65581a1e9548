//! Whole calls through the core, in virtual time, against a plain model: one agent, up to five replicas, every fault there is.
//!
//! In: seeds; those that failed once come first (`tests/corpus/seeds/calls.txt`). Out: the promise that a seed breaks.
//! `SIMULATION_CASES=1000000 SIMULATION_FROM=7 cargo test -p outrigger-proxy-core --test simulation` plays others than a usual run does.
//! Invariant: a seed that fails is printed and kept, to be committed with what mends it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "tests fail loudly"
)]

mod chance;
mod script;
mod stage;
mod drive;
mod budget;
mod model;
mod promises;
mod scenario;

use std::fs::{File, read_to_string};
use std::io::Write;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::thread;

/// As many as a run of all tests has time for; `make test-thorough` plays 100,000.
const CASES: u64 = 25_000;
/// Each plays a share of the seeds.
const THREADS: u64 = 2;

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/seeds/calls.txt")
}

/// One a line; what follows `#` is for people.
fn seeds_that_failed() -> Vec<u64> {
    let text = read_to_string(kept()).expect("the kept seeds");
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(|line| line.parse().expect("a seed")).collect()
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// The first of the seeds that breaks a promise.
fn first_broken(seeds: impl Iterator<Item = u64>) -> Option<(u64, String)> {
    seeds.into_iter().find_map(|seed| match catch_unwind(|| scenario::play(seed)) {
        Ok(Ok(())) => None,
        Ok(Err(promise)) => Some((seed, promise)),
        Err(_) => Some((seed, "it panics".to_owned())),
    })
}

fn keep(seed: u64, promise: &str) {
    let name = promise.split(':').next().unwrap_or_default();
    let file = File::options().append(true).open(kept());
    let written = file.and_then(|mut file| writeln!(file, "{seed} # {name}"));
    written.expect("a file to keep the seed in");
}

#[test]
fn seeds_that_failed_once_keep_their_promises() {
    if let Some((seed, promise)) = first_broken(seeds_that_failed().into_iter()) {
        panic!("seed {seed}: {promise}");
    }
}

#[test]
fn calls_keep_their_promises_whatever_replicas_do() {
    let from = setting("SIMULATION_FROM").unwrap_or(0);
    let cases = setting("SIMULATION_CASES").unwrap_or(CASES);
    let share =
        |at: u64| thread::spawn(move || first_broken((from..from + cases).filter(move |seed| seed % THREADS == at)));
    let threads: Vec<_> = (0..THREADS).map(share).collect();
    let broken: Vec<_> = threads.into_iter().filter_map(|thread| thread.join().expect("a thread")).collect();
    for (seed, promise) in &broken {
        keep(*seed, promise);
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
