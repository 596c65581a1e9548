//! What went wrong while a value was read, and the path to it.
//!
//! In: an error of serde or of the reader, at one key. Out: a [`ConfigError`] with the whole path.
//! Invariant: the innermost place is the one that is told.

use std::fmt;

use serde::de;

use crate::error::{ConfigError, Place};
use crate::node::Node;

/// What went wrong, and the path to it as far as it is known; the path grows while the error travels up.
#[derive(Debug)]
pub(crate) struct Fault {
    pub what: What,
    /// Innermost first.
    path: Vec<String>,
    place: Option<Place>,
}

#[derive(Debug)]
pub(crate) enum What {
    Unknown { suggestion: Option<String>, known: &'static [&'static str] },
    Missing,
    Type(String),
}

impl Fault {
    pub(crate) fn new(what: What) -> Self {
        Self { what, path: Vec::new(), place: None }
    }

    pub(crate) fn under(mut self, segment: String, place: &Place) -> Self {
        self.path.push(segment);
        self.place.get_or_insert_with(|| place.clone());
        self
    }

    pub(crate) fn into_error(self, root: &Node) -> ConfigError {
        let place = self.place.unwrap_or_else(|| root.place.clone());
        let path = joined(self.path);
        match self.what {
            What::Unknown { suggestion, known } => ConfigError::UnknownKey { place, path, suggestion, known },
            What::Missing => ConfigError::MissingKey { place, path },
            What::Type(detail) => ConfigError::Type { place, path, detail },
        }
    }
}

fn joined(segments: Vec<String>) -> String {
    let mut path = String::new();
    for segment in segments.into_iter().rev() {
        if !path.is_empty() && !segment.starts_with('[') {
            path.push('.');
        }
        path.push_str(&segment);
    }
    path
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.what)
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(What::Type(message.to_string()))
    }

    fn missing_field(field: &'static str) -> Self {
        let mut fault = Self::new(What::Missing);
        fault.path.push(field.to_owned());
        fault
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let expected_text = expected.join(", ");
        let near = nearest(variant, expected).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Self::new(What::Type(format!("expected one of {expected_text}; found `{variant}`{near}")))
    }
}

/// The known word that a mistyped one most likely meant.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = word.to_ascii_lowercase().replace('-', "_");
    let scored = known.iter().map(|candidate| (strsim::jaro_winkler(&lower, candidate), *candidate));
    scored.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}
