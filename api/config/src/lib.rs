//! How a configuration file becomes a typed value: YAML, variables, inheritance, environment, and clear refusals.
//!
//! In: a path or a text, and the [`Environment`] handed in. Out: any `Deserialize` value, or a [`ConfigError`] that says
//! file, line and key, and what to do next.
//! Never here: reading the environment of the process, meaning of keys (each server has its own `*File` types, but for the
//! two keys that both have, [`identity`] and [`log`]).
//! Invariant: nothing is guessed: an unknown key, a missing variable, a duplicate key or a wrong type refuses the whole file.
//!
//! Order, the later wins: the file that `extends:` names, the file itself, `OUTRIGGER_A__B=…` for the key `a.b`.

mod error;
mod environment;
mod node;
mod parse;
mod substitute;
mod merge;
mod file;
mod fault;
mod read;
mod schema;
pub mod identity;
pub mod log;

use std::path::Path;

use serde::de::DeserializeOwned;

pub use environment::Environment;
pub use error::{ConfigError, Place};
pub use file::{EXTENDS_DEPTH_MAX, FILE_BYTES_MAX};
pub use schema::schema_text;

/// Reads `path`, what it extends, and the overrides of the environment, as one `T`.
pub fn load<T: DeserializeOwned>(path: &Path, environment: &Environment) -> Result<T, ConfigError> {
    let tree = file::read(path, environment)?;
    read::value(&merge::with_overrides(tree, environment)?)
}

/// Like [`load`], from a text: for tests, and for running without a file (the empty text). It cannot extend a file.
pub fn load_str<T: DeserializeOwned>(text: &str, environment: &Environment) -> Result<T, ConfigError> {
    let tree = file::from_text(text, environment)?;
    read::value(&merge::with_overrides(tree, environment)?)
}

#[cfg(test)]
mod tests;
