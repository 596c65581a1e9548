//! What is wrong with a configuration, where, and what to do about it.
//!
//! Invariant: no variant carries the value of an environment variable, since it may be a secret.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Line {
        file: Arc<str>,
        line: usize,
    },
    /// An override from the environment, by the name of its variable.
    Variable(Arc<str>),
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {}; check the path and its permissions", file.display())]
    Unreadable {
        file: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{} is larger than {bytes_max} bytes; split it with `extends:`", file.display())]
    TooLarge { file: PathBuf, bytes_max: u64 },
    #[error("{}: {detail}", file.display())]
    Extends { file: PathBuf, detail: String },
    #[error("{place}: {detail}")]
    Syntax { place: Place, detail: String },
    #[error("{place}: environment variable `{name}` is not set; set it, or write `${{{name}:-default}}`")]
    MissingVariable { place: Place, name: String },
    #[error("{place}: unknown key `{path}`; {}", next_step(suggestion.as_deref(), known))]
    UnknownKey { place: Place, path: String, suggestion: Option<String>, known: &'static [&'static str] },
    #[error("{place}: `{path}` is missing; add it")]
    MissingKey { place: Place, path: String },
    #[error("{place}: `{path}`: {detail}")]
    Type { place: Place, path: String, detail: String },
    /// A value of the right type that means nothing: a bad name, a number out of range, an unreadable file.
    #[error("`{path}`: {detail}")]
    Value { path: String, detail: String },
    /// Two values that cannot both be meant.
    #[error("`{path}`: {detail}; {hint}")]
    Contradiction { path: String, detail: String, hint: String },
}

impl ConfigError {
    /// A value that does not mean anything, at the key `path`; the causes of `error` are told in one line.
    pub fn value(path: impl Into<String>, error: &dyn std::error::Error) -> Self {
        let mut detail = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            detail = format!("{detail}: {cause}");
            next = cause.source();
        }
        Self::Value { path: path.into(), detail }
    }

    /// Values that contradict each other, and how to end the contradiction.
    pub fn contradiction(path: impl Into<String>, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Contradiction { path: path.into(), detail: detail.into(), hint: hint.into() }
    }
}

fn next_step(suggestion: Option<&str>, known: &[&str]) -> String {
    match suggestion {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "no keys are known here; remove it".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(out, "{file}:{line}"),
            Self::Variable(name) => write!(out, "environment variable {name}"),
        }
    }
}
