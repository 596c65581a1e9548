//! The binaries under test, built by cargo beside the test itself.
//!
//! In: a name. Out: the path of an executable that is up to date.
//! Never here: release builds, installed copies.
//! Invariant: built once in a test run, however many tests ask.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};

/// The repository this kit was built from.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

pub fn outrigger() -> Result<PathBuf> {
    built("outrigger")
}

/// The example agent on the official Rust SDK.
pub fn counter() -> Result<PathBuf> {
    built("counter-agent")
}

/// The server for the conformance suite on the official Rust SDK.
pub fn conformance_server() -> Result<PathBuf> {
    conformance("conformance-server")
}

/// The client of the conformance suite on the official Rust SDK.
pub fn conformance_client() -> Result<PathBuf> {
    conformance("conformance-client")
}

fn conformance(name: &str) -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    found(&BUILT, &["-p", "conformance-agents"], name)
}

fn built(name: &str) -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    found(&BUILT, &["-p", "outrigger", "-p", "counter-agent"], name)
}

/// The example of a watcher in Rust; chosen together with the product, so that what both need is built once.
pub fn watch_example() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let product = ["-p", "outrigger", "-p", "counter-agent", "-p", "outrigger-client", "--example", "watch"];
    found(&BUILT, &product, "examples/watch")
}

fn found(built: &OnceLock<Result<PathBuf, String>>, what: &[&str], name: &str) -> Result<PathBuf> {
    match built.get_or_init(|| build(what).map_err(|error| format!("{error:#}"))) {
        Ok(folder) => Ok(folder.join(name)),
        Err(error) => bail!("{error}"),
    }
}

/// Builds into the folder that holds the running test, so that one target directory serves both. Packages that are built
/// together share the features of what they need, so the product is not built together with peers it does not ship with.
fn build(what: &[&str]) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test.parent().and_then(Path::parent).context("the test stands in target/<profile>/deps")?;
    let target = profile.parent().context("the test stands in target/<profile>/deps")?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["build", "--quiet", "--target-dir"]).arg(target);
    cargo.args(what);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let done = cargo.output().context("start cargo")?;
    ensure!(done.status.success(), "build {what:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(profile.to_owned())
}
