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

/// The conformance server on the official Rust SDK.
pub fn conformance_server() -> Result<PathBuf> {
    built("conformance-server")
}

fn built(name: &str) -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    match folder {
        Ok(folder) => Ok(folder.join(name)),
        Err(error) => bail!("{error}"),
    }
}

/// Builds into the folder that holds the running test, so that one target directory serves both.
fn build() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test.parent().and_then(Path::parent).context("the test stands in target/<profile>/deps")?;
    let target = profile.parent().context("the test stands in target/<profile>/deps")?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["build", "--quiet", "-p", "outrigger", "-p", "counter-agent"]);
    cargo.args(["-p", "conformance-agents", "--target-dir"]).arg(target);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let done = cargo.output().context("start cargo")?;
    ensure!(done.status.success(), "build the binaries: {}", String::from_utf8_lossy(&done.stderr));
    Ok(profile.to_owned())
}
