//! Runs the suite's server scenarios, of one release, against one URL.
//!
//! In: the release with what it is measured against, the URL, a folder to write to. Out: every check, and whether it passed.
//! Never here: what the outcome should be.
//! Invariant: a run ends, and one that wrote no checks is an error.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use outrigger_tests::conformance::{self, Checks};
use outrigger_tests::peers::installed;
use outrigger_tests::process::Process;
use tokio::process::Command;

/// Far more than a run takes, even one in which scenarios wait for what never comes.
const RUN_WITHIN: Duration = Duration::from_secs(240);

/// A release of the suite and the scenarios asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// Release 0.1.16, all scenarios that it calls active.
    Active,
    /// Release 0.2.0-alpha.12, what revision 2025-11-25 requires.
    Of2025,
    /// Release 0.2.0-alpha.12, what revision 2026-07-28 requires.
    Of2026,
}

pub struct Run {
    pub checks: Checks,
    /// Whether every scenario that is scored has passed.
    pub passed: bool,
    pub log: String,
    pub seconds: f32,
}

impl Suite {
    fn folder(self) -> &'static str {
        match self {
            Self::Active => "conformance-0.1.16",
            Self::Of2025 | Self::Of2026 => "conformance",
        }
    }

    fn words(self) -> [&'static str; 2] {
        match self {
            Self::Active => ["--suite", "active"],
            Self::Of2025 => ["--requirements", "2025-11-25"],
            Self::Of2026 => ["--requirements", "2026-07-28"],
        }
    }

    /// How many checks a server must give rise to; what an SDK leaves out is not scored and not many.
    pub fn checks_min(self) -> usize {
        match self {
            Self::Active => 40,
            Self::Of2025 => 83,
            Self::Of2026 => 175,
        }
    }

    /// How many checks come out differently at least, where every call goes to another replica.
    pub fn broken_min(self) -> usize {
        match self {
            Self::Active | Self::Of2025 => 30,
            Self::Of2026 => 2,
        }
    }
}

/// One run; what it writes goes to `folder/name`.
pub async fn run(suite: Suite, url: &str, folder: &Path, name: &str) -> Result<Run> {
    let out = folder.join(name);
    let package = format!("{}/node_modules/@modelcontextprotocol/conformance/dist/index.js", suite.folder());
    let mut command = Command::new(installed("conformance/node_modules/node/bin/node")?);
    // Nothing of the test's environment reaches the suite: a proxy in it would be one way too many.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(folder);
    command.arg(installed(&package)?).args(["server", "--url", url]).args(suite.words()).arg("-o").arg(&out);
    let begun = Instant::now();
    let mut process = Process::start(name, folder, command)?;
    let ended = process.ended_within(RUN_WITHIN).await?;
    let seconds = begun.elapsed().as_secs_f32();
    let checks = conformance::load(&out)?;
    ensure!(!checks.is_empty(), "the suite wrote no checks:\n{}", process.log());
    Ok(Run { checks, passed: ended.success(), log: process.log(), seconds })
}
