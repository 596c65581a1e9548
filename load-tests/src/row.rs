//! What a measurement of one row of the targets gives: figures, each with its target if it has one, as JSON and as a table.
//!
//! In: figures, in the order in which they are shown. Out: a [`Row`].
//! Never here: how a figure came about.
//! Invariant: a figure that was not measured is no figure; it is said in words, among the notes.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::machine::about::About;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Row {
    pub about: About,
    /// Such as `control registry`.
    pub name: String,
    pub says: String,
    pub figures: Vec<Figure>,
    /// What a reader must know to judge the figures.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    pub what: String,
    pub value: f64,
    pub unit: String,
    pub target: Option<Target>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    pub fn is_reached(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }
}

impl Row {
    pub fn new(about: About, name: &str, says: String) -> Self {
        Self { about, name: name.to_owned(), says, ..Self::default() }
    }

    pub fn figure(&mut self, what: impl Into<String>, value: f64, unit: &str) {
        self.push(what.into(), value, unit, None);
    }

    pub fn at_most(&mut self, what: impl Into<String>, value: f64, unit: &str, limit: f64) {
        self.push(what.into(), value, unit, Some(Target::AtMost(limit)));
    }

    pub fn at_least(&mut self, what: impl Into<String>, value: f64, unit: &str, limit: f64) {
        self.push(what.into(), value, unit, Some(Target::AtLeast(limit)));
    }

    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// The value of a figure, by what it is of.
    pub fn value(&self, what: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.what == what).map(|figure| figure.value)
    }

    fn push(&mut self, what: String, value: f64, unit: &str, target: Option<Target>) {
        if !value.is_finite() {
            return self.note(format!("{what}: too little was done to measure it"));
        }
        self.figures.push(Figure { what, value, unit: unit.to_owned(), target });
    }

    pub fn markdown(&self) -> String {
        let Self { about, name, says, figures, notes } = self;
        let mut text = format!("### {name}: {says}\n\n| what | measured | target | reached |\n|---|---|---|---|\n");
        for figure in figures {
            let (target, reached) = match figure.target {
                Some(target) => {
                    let reached = if target.is_reached(figure.value) { "yes" } else { "no" };
                    (shown_target(target, &figure.unit), reached)
                }
                None => ("–".to_owned(), ""),
            };
            let value = shown(figure.value, &figure.unit);
            // Writing to a text cannot fail.
            let _ = writeln!(text, "| {} | {value} | {target} | {reached} |", figure.what);
        }
        text.push('\n');
        for note in notes {
            let _ = writeln!(text, "- {note}");
        }
        let _ = writeln!(
            text,
            "\n{} · {} cores · commit {} · {} · load before {} and after {} · {}",
            about.processor,
            about.cores,
            about.commit,
            about.date,
            about.load_before,
            about.load_after,
            about.versions.join(" · ")
        );
        text
    }
}

fn shown_target(target: Target, unit: &str) -> String {
    match target {
        Target::AtMost(limit) => format!("≤ {}", shown(limit, unit)),
        Target::AtLeast(limit) => format!("≥ {}", shown(limit, unit)),
    }
}

/// Counts as they are, everything else with three digits.
fn shown(value: f64, unit: &str) -> String {
    let digits = match value.abs() {
        _ if value.fract() == 0.0 => 0,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}").trim_end().to_owned()
}

#[cfg(test)]
mod tests;
