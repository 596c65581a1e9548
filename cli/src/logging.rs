//! Where log lines go and which of them: standard error, text or JSON.
//!
//! In: what the configuration says; `OUTRIGGER_LOG` (`debug`, `info,outrigger_proxy=debug`) beats its level.
//! Invariant: standard output is for what was asked for; no log line ever goes there.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::problem::Problem;

const VARIABLE: &str = "OUTRIGGER_LOG";

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    Text,
    Json,
}

/// Starts logging for the life of the process.
pub fn start(level: &str, lines: Lines) -> Result<(), Problem> {
    let asked = std::env::var(VARIABLE).ok().filter(|asked| !asked.is_empty());
    let filter = filter(asked.as_deref(), level)?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match lines {
        Lines::Text => logs.try_init(),
        Lines::Json => logs.json().flatten_event(true).try_init(),
    };
    started.map_err(|cause| Problem::failed("logging cannot start").because(cause))
}

fn filter(asked: Option<&str>, level: &str) -> Result<EnvFilter, Problem> {
    let text = asked.unwrap_or(level);
    let where_from = if asked.is_some() { VARIABLE } else { "log.level" };
    EnvFilter::try_new(text).map_err(|cause| {
        Problem::configuration(format!("{where_from}: `{text}` is no log filter"))
            .because(cause)
            .next("write error, warn, info, debug or trace, or info,outrigger_proxy=debug")
    })
}

#[cfg(test)]
mod tests;
