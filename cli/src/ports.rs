//! The file that tells where a process really listens, for whoever started it with port 0.
//!
//! Invariant: the file is either absent or complete.

use std::path::Path;

use serde_json::Value;

use crate::problem::Problem;

/// Writes `ports` beside `path` and moves it there.
pub fn write(path: &Path, ports: &Value) -> Result<(), Problem> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let written = std::fs::write(&beside, format!("{ports}\n")).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|cause| {
        Problem::failed(format!("{} cannot be written", path.display()))
            .because(cause)
            .next("choose a folder that exists and may be written")
    })
}

#[cfg(test)]
mod tests;
