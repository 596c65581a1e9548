//! Configuration files as settings of the two servers, or a problem with exit code 64.
//!
//! Invariant: whatever a server would refuse to start with is refused here, before anything listens.

use std::path::Path;

use outrigger_config::ConfigError;
use outrigger_control::config::file::ControlFile;

use crate::environment;
use crate::problem::Problem;

pub type ControlSettings = outrigger_control::config::settings::Settings;
pub type ProxySettings = outrigger_proxy::config::Settings;

/// The settings of a proxy; without a file, those of an empty one.
pub fn proxy(file: Option<&Path>) -> Result<ProxySettings, Problem> {
    outrigger_proxy::config::load(file, &environment::for_files()).map_err(|cause| refused(file, cause, "proxy"))
}

/// The settings of control; without a file, those of an empty one.
pub fn control(file: Option<&Path>) -> Result<ControlSettings, Problem> {
    let environment = environment::for_files();
    let read: Result<ControlFile, ConfigError> = match file {
        Some(file) => outrigger_config::load(file, &environment),
        None => outrigger_config::load_str("", &environment),
    };
    let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
    let settings = ControlSettings::try_from((read.map_err(|cause| refused(file, cause, "control"))?, folder));
    settings.map_err(|cause| {
        let shown = file.map_or_else(|| "configuration".to_owned(), |file| file.display().to_string());
        Problem::configuration(shown).because(cause).next("outrigger schema control   lists every key")
    })
}

fn refused(file: Option<&Path>, cause: ConfigError, kind: &str) -> Problem {
    let next = format!("outrigger schema {kind}   lists every key");
    // Most errors begin with file and line; those about a meaning know the key only.
    let problem = match (&cause, file) {
        (ConfigError::Value { .. } | ConfigError::Contradiction { .. }, Some(file)) => {
            Problem::configuration(file.display().to_string())
        }
        _ => Problem::configuration("the configuration is refused"),
    };
    problem.because(cause).next(next)
}

#[cfg(test)]
mod tests;
