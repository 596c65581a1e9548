//! How an agent wants its calls to travel, in the words of mcp-mesh.
//!
//! In: what is written of an agent or a capability, and what it is by default. Out: [`Calls`], or the key that is wrong.

use std::collections::BTreeMap;

use outrigger_config::ConfigError;
use outrigger_model::calls::{BadCalls, Calls, WrittenCalls};

use super::file::{AgentFile, CapabilityFile};
use super::value::refused;

pub(super) fn of_agent(file: &AgentFile, path: &str) -> Result<Calls, ConfigError> {
    let written = WrittenCalls {
        timeout_ms: milliseconds(file.timeout, path)?,
        retry_count: file.retry_count,
        headers: headers(&file.custom_headers),
        streaming: file.streaming.unwrap_or(false),
    };
    checked(written, path)
}

pub(super) fn of_capability(file: &CapabilityFile, agent: &Calls, path: &str) -> Result<Calls, ConfigError> {
    let usual = agent.written();
    let written = WrittenCalls {
        timeout_ms: milliseconds(file.timeout, path)?.or(usual.timeout_ms),
        retry_count: file.retry_count.or(usual.retry_count),
        headers: file.custom_headers.as_ref().map_or(usual.headers, headers),
        streaming: file.streaming.unwrap_or(usual.streaming),
    };
    checked(written, path)
}

fn headers(written: &BTreeMap<String, String>) -> Vec<(String, String)> {
    written.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn milliseconds(seconds: Option<f64>, path: &str) -> Result<Option<u32>, ConfigError> {
    let Some(seconds) = seconds else { return Ok(None) };
    let longest = f64::from(u32::MAX) / 1_000.0;
    if !(0.001..=longest).contains(&seconds) {
        let longest = longest.floor();
        return Err(refused(format!("{path}.timeout"), format!("{seconds} is not within 0.001 to {longest} seconds")));
    }
    // Within the bounds above.
    Ok(Some((seconds * 1_000.0) as u32))
}

fn checked(written: WrittenCalls, path: &str) -> Result<Calls, ConfigError> {
    written.try_into().map_err(|bad: BadCalls| {
        let key = match bad {
            BadCalls::Timeout => "timeout",
            BadCalls::RetryCount(_) => "retry_count",
            _ => "custom_headers",
        };
        refused(format!("{path}.{key}"), bad.to_string())
    })
}
