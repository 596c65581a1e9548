//! The proxy's configuration: what people write, what runs, and the one door between them.
//!
//! In: `proxy.yaml` and the environment handed in. Out: [`Settings`], or a refusal that names the key.
//! Never here: opening sockets, reading certificates, reading the environment of the process.

pub mod file;
mod value;
pub mod redis;
pub mod settings;
mod calls;
mod probe;
mod agent;
mod facade;
mod forward;
mod overload;
mod plaintext;
pub mod resolve;

use std::path::Path;

use outrigger_config::{ConfigError, Environment};

pub use file::ProxyFile;
pub use resolve::Written;
pub use settings::Settings;

/// The settings that `path` describes; without a path those of an empty file.
pub fn load(path: Option<&Path>, environment: &Environment) -> Result<Settings, ConfigError> {
    let (file, folder) = match path {
        Some(path) => (outrigger_config::load(path, environment)?, path.parent().unwrap_or(Path::new("")).to_owned()),
        None => (outrigger_config::load_str("", environment)?, Path::new("").to_owned()),
    };
    let redis_url = environment.variable("REDIS_URL").map(str::to_owned);
    Settings::try_from(Written { file, folder, host_name: host_name(), redis_url })
}

/// The name of this machine, for default ids; machines without one share a word.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
