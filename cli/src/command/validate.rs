//! `outrigger validate`: whether files would be accepted; nothing is started.

use std::path::Path;

use crate::args::{SchemaOf, Validate};
use crate::configuration;
use crate::output::{note, say};
use crate::problem::Problem;

/// Keys that only control has, for files whose name does not tell.
const KEYS_OF_CONTROL: [&str; 6] = ["store:", "registration:", "lease:", "settings:", "routes:", "pools:"];

/// Checks every file, also after one was refused.
pub fn run(validate: Validate) -> Result<(), Problem> {
    let mut refused = None;
    for file in &validate.files {
        let of = validate.of.unwrap_or_else(|| guessed(file));
        let checked = match of {
            SchemaOf::Proxy => configuration::proxy(Some(file)).map(drop),
            SchemaOf::Control => configuration::control(Some(file)).map(drop),
        };
        match (checked, of) {
            (Ok(()), SchemaOf::Proxy) => say(format!("{}: fine, a proxy", file.display()))?,
            (Ok(()), SchemaOf::Control) => say(format!("{}: fine, control", file.display()))?,
            (Err(problem), _) => {
                if let Some(earlier) = refused.replace(problem) {
                    note(earlier.report());
                }
            }
        }
    }
    refused.map_or(Ok(()), Err)
}

fn guessed(file: &Path) -> SchemaOf {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.starts_with("control") {
        return SchemaOf::Control;
    }
    if name.starts_with("proxy") {
        return SchemaOf::Proxy;
    }
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let control = text.lines().any(|line| KEYS_OF_CONTROL.iter().any(|key| line.starts_with(key)));
    if control { SchemaOf::Control } else { SchemaOf::Proxy }
}
