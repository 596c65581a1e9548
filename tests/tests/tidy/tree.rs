//! The repository as a list of files: what git tracks, and what it would track if it were added now.
//!
//! In: the work tree this test was built from. Out: [`Source`]s with their text.
//! Never here: opinions about the text.
//! Invariant: paths are relative to the root and use `/`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One text file of the repository.
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub fn is_manifest(&self) -> bool {
        self.path.ends_with("Cargo.toml")
    }

    pub fn is_document(&self) -> bool {
        self.path.ends_with(".md")
    }

    /// Test code: a sibling `tests.rs`, anything under a `tests` folder, or the crate of whole-mesh tests.
    pub fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.starts_with("tests/") || self.path.contains("/tests/")
    }

    /// The file's lines with their numbers, counted from one.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every path that git tracks or would track, whatever is in it.
pub fn paths() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is there");
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let text = String::from_utf8(listed.stdout).expect("paths are text");
    let mut paths: Vec<String> = text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// Every text file; a tracked file that the work tree no longer has is left out.
pub fn sources() -> Vec<Source> {
    paths()
        .into_iter()
        .filter_map(|path| {
            let text = std::fs::read_to_string(root().join(&path)).ok()?;
            Some(Source { path, text })
        })
        .collect()
}

#[test]
fn the_repository_is_read_with_relative_paths() {
    let paths = paths();
    assert!(paths.iter().any(|path| path == "api/model/src/lib.rs"));
    assert!(paths.iter().all(|path| !path.starts_with('/') && !path.starts_with("target/")));
}
