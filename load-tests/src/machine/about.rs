//! Which machine, which commit, which versions: what a reader needs to judge a figure.
//!
//! In: `/proc`, git, `--version` of each peer. Out: an [`About`].

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The circumstances of one bench.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct About {
    pub processor: String,
    pub cores: usize,
    pub memory_mib: u64,
    pub kernel: String,
    /// `-dirty` where the work tree differed.
    pub commit: String,
    pub date: String,
    pub seed: u64,
    /// One line per peer.
    pub versions: Vec<String>,
    /// Load of the machine over the minute before.
    pub load_before: String,
    pub load_after: String,
}

impl About {
    pub fn now(seed: u64, versions: Vec<String>) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: cores(),
            memory_mib: field("/proc/meminfo", "MemTotal").and_then(|text| kib(&text)).unwrap_or_default() / 1024,
            kernel: first_line("uname", &["-sr"], None),
            commit: first_line("git", &["describe", "--always", "--dirty", "--abbrev=12"], Some(folder)),
            date: first_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"], None),
            seed,
            versions,
            load_before: load(),
            load_after: String::new(),
        }
    }

    pub fn finish(&mut self) {
        self.load_after = load();
    }
}

/// The first line that a command says, or `unknown`.
pub fn first_line(program: &str, arguments: &[&str], folder: Option<&Path>) -> String {
    let mut command = Command::new(program);
    command.args(arguments);
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let said = command.output().ok().map(|output| [output.stdout, output.stderr].concat());
    let said = said.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    said.and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_else(|| "unknown".to_owned())
}

/// All of them, also those that this process may not use.
fn cores() -> usize {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines().filter(|line| line.starts_with("processor")).count()
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn kib(text: &str) -> Option<u64> {
    text.split(' ').next()?.parse().ok()
}
