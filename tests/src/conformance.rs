//! What the official conformance suite writes, and how two of its runs differ.
//!
//! In: the folder that a run was told to write to. Out: the worst status of every check, and the checks that differ.
//! Never here: starting the suite.
//! Invariant: a check is named by its scenario and its id; remarks (`INFO`) are no checks, since how often something was
//! seen may differ where nothing else does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// From harmless to bad: of several statuses under one id the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Skipped,
    Success,
    Warning,
    Failure,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Check {
    pub scenario: String,
    pub id: String,
}

pub type Checks = BTreeMap<Check, Status>;

/// A check that did not come out the same; none where the run does not have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub check: Check,
    pub direct: Option<Status>,
    pub through: Option<Status>,
}

impl Status {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "SKIPPED" => Some(Self::Skipped),
            "SUCCESS" => Some(Self::Success),
            "WARNING" => Some(Self::Warning),
            "FAILURE" => Some(Self::Failure),
            _ => None,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Check { scenario, id } = &self.check;
        write!(f, "{scenario} {id}: {:?} direct, {:?} through", self.direct, self.through)
    }
}

/// Every check of a run.
pub fn load(folder: &Path) -> Result<Checks> {
    let mut checks = Checks::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(&inner).with_context(|| format!("read {}", inner.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("checks.json") {
                let text = std::fs::read_to_string(&path)?;
                let list = serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))?;
                add(&mut checks, scenario_of(inner.strip_prefix(folder)?), &list);
            }
        }
    }
    Ok(checks)
}

/// `server-auth/basic-cimd-2026-11-28T19-57-15-753Z` is of `auth/basic-cimd`.
pub fn scenario_of(folder: &Path) -> &str {
    let name = folder.to_str().unwrap_or_default();
    let name = name.strip_prefix("server-").unwrap_or(name);
    let stamp = name.match_indices('-').find(|(at, _)| is_stamp(name.get(at + 1..).unwrap_or_default()));
    stamp.and_then(|(at, _)| name.get(..at)).unwrap_or(name)
}

/// Whether it begins like `2026-11-28T`.
fn is_stamp(text: &str) -> bool {
    let shape = b"0000-00-00T";
    let mut pairs = text.bytes().zip(shape);
    text.len() > shape.len()
        && pairs.all(|(byte, like)| if *like == b'0' { byte.is_ascii_digit() } else { byte == *like })
}

fn add(checks: &mut Checks, scenario: &str, list: &Value) {
    for entry in list.as_array().into_iter().flatten() {
        let text = |name| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some(status) = Status::parse(text("status")) else { continue };
        let check = Check { scenario: scenario.to_owned(), id: text("id").to_owned() };
        let worst = checks.entry(check).or_insert(status);
        *worst = status.max(*worst);
    }
}

/// The checks that came out differently, or only in one of the two.
pub fn differences(direct: &Checks, through: &Checks) -> Vec<Difference> {
    let all: BTreeSet<&Check> = direct.keys().chain(through.keys()).collect();
    let pairs = all.into_iter().map(|check| (check, direct.get(check).copied(), through.get(check).copied()));
    let different = pairs.filter(|(_, direct, through)| direct != through);
    different.map(|(check, direct, through)| Difference { check: check.clone(), direct, through }).collect()
}

/// How many checks came out so.
pub fn count(checks: &Checks, status: Status) -> usize {
    checks.values().filter(|one| **one == status).count()
}

#[cfg(test)]
mod tests;
