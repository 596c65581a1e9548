//! The figures that a change is held against: a YAML file in the repository, written by this program and by nobody else.
//!
//! In: the file, or new figures. Out: [`Committed`], or the file's text.
//! Invariant: what is written reads back as the same figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::count::Counted;

/// What a figure may differ from the committed one; compilers and processors make a little difference too.
const TOLERANCE_PERCENT: f64 = 10.0;
/// How far above the measured ratio the committed limit is: wide, because time is measured, if only in proportion.
const RATIO_ROOM: f64 = 1.6;

#[derive(Debug, thiserror::Error)]
pub enum CommittedError {
    #[error("{0} cannot be read")]
    Read(PathBuf, #[source] std::io::Error),
    #[error("{0}: {1}")]
    Parse(PathBuf, String),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    pub tolerance_percent: f64,
    pub nginx_ratio: Ratio,
    /// By the name of the act.
    pub each: BTreeMap<String, Figures>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    pub measured: f64,
    pub most: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    pub instructions: f64,
    pub allocations: f64,
}

impl Committed {
    pub fn read(path: &Path) -> Result<Self, CommittedError> {
        let text = std::fs::read_to_string(path).map_err(|cause| CommittedError::Read(path.to_owned(), cause))?;
        serde_saphyr::from_str(&text).map_err(|cause| CommittedError::Parse(path.to_owned(), cause.to_string()))
    }

    /// From what was just counted.
    pub fn new(counted: &[Counted], ratio: f64) -> Self {
        let each = counted.iter().map(|Counted { act, each }| {
            let figures = Figures { instructions: each.instructions.round(), allocations: tenth(each.allocations) };
            (act.name().to_owned(), figures)
        });
        Self {
            tolerance_percent: TOLERANCE_PERCENT,
            nginx_ratio: Ratio { measured: (ratio * 100.0).round() / 100.0, most: tenth(ratio * RATIO_ROOM) },
            each: each.collect(),
        }
    }

    pub fn text(&self) -> String {
        let mut text = "# What Outrigger spends on one call. `make check-cost` fails where it spends more; after a change that is meant to,\n\
                        # `outrigger-load cost --write` writes this file anew. Counted under valgrind's callgrind on the release build.\n"
            .to_owned();
        let Ratio { measured, most } = self.nginx_ratio;
        // Writing to a text cannot fail.
        let _ = writeln!(text, "tolerance_percent: {}", self.tolerance_percent);
        let _ = writeln!(text, "# CPU per call as a multiple of nginx's, in one short bench; fails only above `most`.");
        let _ = writeln!(text, "nginx_ratio: {{measured: {measured}, most: {most}}}");
        let _ = writeln!(text, "# For one time of each.\neach:");
        for (name, Figures { instructions, allocations }) in &self.each {
            let _ = writeln!(text, "  {name}: {{instructions: {instructions}, allocations: {allocations}}}");
        }
        text
    }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests;
