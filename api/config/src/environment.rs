//! The environment as it is handed in: variables for `${VAR}`, and overrides for keys.
//!
//! In: pairs, such as those of `std::env::vars_os`. Out: look-ups by name, and the overrides in a stable order.
//! Never here: reading the environment of the process.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// Variables that start with this override keys.
const PREFIX: &str = "OUTRIGGER_";
/// Stands for the dot between two keys, as variables cannot hold one.
const SEPARATOR: &str = "__";

/// Environment variables by name. Those that are not UTF-8 are left out.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// One `OUTRIGGER_A__B=value`.
pub(crate) struct Override<'a> {
    pub variable: &'a str,
    /// `["a", "b"]`
    pub keys: Vec<String>,
    pub value: &'a str,
}

impl Environment {
    pub fn new<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let text = |raw: OsString| raw.into_string().ok();
        Self(pairs.into_iter().filter_map(|(key, value)| Some((text(key.into())?, text(value.into())?))).collect())
    }

    /// The value of one variable, for keys whose default comes from outside, such as `REDIS_URL`.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A variable with a single word, such as `OUTRIGGER_LOG`, comes before those of the keys below it: names sort so.
    pub(crate) fn overrides(&self) -> impl Iterator<Item = Override<'_>> {
        self.0.iter().filter_map(|(variable, value)| {
            let rest = variable.strip_prefix(PREFIX)?;
            let keys: Vec<String> = rest.split(SEPARATOR).map(str::to_ascii_lowercase).collect();
            keys.iter().all(|key| !key.is_empty()).then_some(Override { variable, keys, value })
        })
    }
}
