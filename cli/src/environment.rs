//! The environment of this process, as configuration may use it.
//!
//! Invariant: variables that belong to the command line never override a key of a file.

use outrigger_config::Environment;

/// Read by the command line or by logging; `OUTRIGGER_IDENTITY` would otherwise be taken for the key `identity`.
const OF_THE_COMMAND_LINE: [&str; 7] = [
    "OUTRIGGER_LOG",
    "OUTRIGGER_IDENTITY",
    "OUTRIGGER_OUTBOUND",
    "OUTRIGGER_HEALTH",
    "OUTRIGGER_ADMIN",
    "OUTRIGGER_CONTROL_HTTP",
    "OUTRIGGER_CONTROL_GRPC",
];

/// What the files may refer to and be overridden by.
pub fn for_files() -> Environment {
    Environment::new(std::env::vars_os().filter(|(name, _)| !OF_THE_COMMAND_LINE.iter().any(|own| name == own)))
}
