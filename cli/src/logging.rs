//! Where log lines go and which of them: standard error, text or JSON.
//!
//! In: what the configuration says; `OUTRIGGER_LOG` (`debug`, `info,outrigger_proxy=debug`) beats its level.
//! Invariants: standard output is for what was asked for; no log line ever goes there. Whatever is asked for, libraries that
//! would write heads and bodies of calls do not get to: sessions and tool arguments are in them.

use std::io::IsTerminal as _;

use outrigger_config::log::LogFormat;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::problem::Problem;

const VARIABLE: &str = "OUTRIGGER_LOG";

/// Libraries that carry calls; at debug and below they write whole heads and bodies.
const CARRIERS: [&str; 3] = ["hyper", "h2", "redis"];

/// Calls a stranger's bad request an error and quotes it; what a human has to know of it, we say ourselves.
const MUTE: &str = "pingora";

/// The log as it runs; its level may change.
pub struct Logging(reload::Handle<EnvFilter, Registry>);

impl Logging {
    /// Shows lines of `level` from now on, unless the environment says otherwise.
    pub fn show(&self, level: &str) -> Result<(), Problem> {
        let filter = filter(asked().as_deref(), level)?;
        self.0.reload(filter).map_err(|cause| Problem::failed("the level of the log cannot change").because(cause))
    }
}

/// Starts logging for the life of the process.
pub fn start(level: &str, format: LogFormat) -> Result<Logging, Problem> {
    let (filter, handle) = reload::Layer::new(filter(asked().as_deref(), level)?);
    let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let discreet = filter_fn(|line| is_discreet(line.target(), line.level()));
    let registry = tracing_subscriber::registry().with(filter).with(discreet);
    let started = match format {
        LogFormat::Text => registry.with(logs).try_init(),
        LogFormat::Json => registry.with(logs.json().flatten_event(true)).try_init(),
    };
    started.map_err(|cause| Problem::failed("logging cannot start").because(cause))?;
    Ok(Logging(handle))
}

fn asked() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|asked| !asked.is_empty())
}

fn is_discreet(target: &str, level: &Level) -> bool {
    !target.starts_with(MUTE) && (*level <= Level::INFO || !CARRIERS.iter().any(|carrier| target.starts_with(carrier)))
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
