//! Why a command failed, in the form in which people read it: what, because of what, and what to try next.
//!
//! In: the error of a room below, and what the command was doing. Out: lines on stderr and an exit code.
//! Never here: panics, and error text without a place in it.
//! Invariant: 1 means the thing asked failed, 2 the command line is wrong, 64 a configuration is wrong.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::process::ExitCode;

type Cause = Box<dyn Error + Send + Sync>;

/// Which of the exit codes a failure has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Failed,
    Usage,
    Configuration,
}

/// A failure of a command.
#[derive(Debug)]
pub struct Problem {
    pub kind: Kind,
    what: String,
    cause: Option<Cause>,
    next: Option<String>,
}

impl Problem {
    pub fn failed(what: impl Into<String>) -> Self {
        Self { kind: Kind::Failed, what: what.into(), cause: None, next: None }
    }

    pub fn usage(what: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, ..Self::failed(what) }
    }

    pub fn configuration(what: impl Into<String>) -> Self {
        Self { kind: Kind::Configuration, ..Self::failed(what) }
    }

    /// Keeps the error that led here; its whole chain is printed.
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The next thing to try.
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Configuration => 64,
        })
    }

    /// The lines for stderr.
    pub fn report(&self) -> String {
        let mut text = format!("error: {}", self.what);
        let mut cause = self.cause.as_deref().map(|cause| cause as &dyn Error);
        while let Some(error) = cause {
            let message = error.to_string();
            // Some libraries repeat their source in their own text.
            if !text.ends_with(&message) {
                let _ = write!(text, ": {message}");
            }
            cause = error.source();
        }
        if let Some(next) = &self.next {
            let _ = write!(text, "\nnext:  {}", next.replace('\n', "\n       "));
        }
        text
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.what)
    }
}

#[cfg(test)]
mod tests;
