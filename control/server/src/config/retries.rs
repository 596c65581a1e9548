//! When calls of a route are tried again: from a file to checked values.
//!
//! In: its part of a [`ControlFile`](crate::config::file::ControlFile). Out: [`Retries`], or the key that is wrong.

use std::time::Duration;

use outrigger_model::retries::{ATTEMPTS_MAX, Backoff, Budget, KEPT_BODY_BYTES_MAX, Retries};
use outrigger_model::tool_pattern::{BadToolPattern, TOOL_PATTERNS_MAX, ToolPattern};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest of the times here; whoever waits longer does not wait for a retry.
const MS_MAX: u64 = 3_600_000;

/// When a call that failed is sent again, and when a slow one is sent a second time.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetriesFile {
    /// Attempts of one call, the first included, 1 to 10. Default: 3
    pub attempts: Option<u8>,
    /// How long one attempt may take until its answer begins, if another may follow it. Default: as long as the call
    pub per_try_ms: Option<u64>,
    /// The pause before the first repetition is a random part of this; before each further one it may be twice as long. Default: 25
    pub backoff_ms: Option<u64>,
    /// The longest pause. Default: 250
    pub backoff_max_ms: Option<u64>,
    /// Of the calls of the last ten seconds to a pool, how many percent may be sent again. Default: 20
    pub budget_percent: Option<u8>,
    /// So many repetitions a second are allowed in any case. Default: 10
    pub budget_per_second_min: Option<u16>,
    /// Tools whose calls may run twice, by name or with one `*`, such as get_*. Default: none
    pub tools: Vec<String>,
    /// Believe the agent that its tools with readOnlyHint or idempotentHint may run twice. Default: false
    pub trust_hints: bool,
    /// After how long without an answer a read is also sent to a second replica. Default: never
    pub hedge_after_ms: Option<u64>,
    /// A call with a larger body is not sent again once any of it was, 0 to 1048576. Default: 65536
    pub body_bytes_max: Option<u32>,
}

/// What is wrong, behind `retries.`
#[derive(Debug, thiserror::Error)]
pub enum RetriesError {
    #[error("attempts: {0} is not within 1 to {ATTEMPTS_MAX}")]
    Attempts(u8),
    #[error("{key}: {ms} is not within {min} to {MS_MAX}")]
    Time { key: &'static str, ms: u64, min: u64 },
    #[error("backoff_max_ms: {longest} is less than backoff_ms, which is {first}")]
    Backoff { first: u128, longest: u128 },
    #[error("budget_percent: {0} is more than 100")]
    Percent(u8),
    #[error("tools: {0} are more than {TOOL_PATTERNS_MAX}")]
    ManyTools(usize),
    #[error("tools[{at}]: {cause}")]
    Tool { at: usize, cause: BadToolPattern },
    #[error("body_bytes_max: {0} is more than {KEPT_BODY_BYTES_MAX}")]
    Body(u32),
}

pub(super) fn retries(file: &RetriesFile) -> Result<Retries, RetriesError> {
    let usual = Retries::default();
    let attempts = file.attempts.unwrap_or(usual.attempts);
    if !(1..=ATTEMPTS_MAX).contains(&attempts) {
        return Err(RetriesError::Attempts(attempts));
    }
    let body_bytes_max = file.body_bytes_max.unwrap_or(usual.body_bytes_max);
    if body_bytes_max > KEPT_BODY_BYTES_MAX {
        return Err(RetriesError::Body(body_bytes_max));
    }
    Ok(Retries {
        attempts,
        per_try: time("per_try_ms", file.per_try_ms, 1)?,
        backoff: backoff(file, usual.backoff)?,
        budget: budget(file, usual.budget)?,
        tools: tools(&file.tools)?,
        trust_hints: file.trust_hints,
        hedge_after: time("hedge_after_ms", file.hedge_after_ms, 1)?,
        body_bytes_max,
    })
}

fn backoff(file: &RetriesFile, usual: Backoff) -> Result<Backoff, RetriesError> {
    let first = time("backoff_ms", file.backoff_ms, 0)?.unwrap_or(usual.first);
    // Who writes only the first pause does not have to raise the longest one.
    let longest = time("backoff_max_ms", file.backoff_max_ms, 0)?.unwrap_or(usual.longest.max(first));
    if longest < first {
        return Err(RetriesError::Backoff { first: first.as_millis(), longest: longest.as_millis() });
    }
    Ok(Backoff { first, longest })
}

fn budget(file: &RetriesFile, usual: Budget) -> Result<Budget, RetriesError> {
    let percent = file.budget_percent.unwrap_or(usual.percent);
    if percent > 100 {
        return Err(RetriesError::Percent(percent));
    }
    Ok(Budget { percent, per_second_min: file.budget_per_second_min.unwrap_or(usual.per_second_min) })
}

fn tools(texts: &[String]) -> Result<Vec<ToolPattern>, RetriesError> {
    if texts.len() > TOOL_PATTERNS_MAX {
        return Err(RetriesError::ManyTools(texts.len()));
    }
    let tool = |(at, text): (usize, &String)| text.parse().map_err(|cause| RetriesError::Tool { at, cause });
    texts.iter().enumerate().map(tool).collect()
}

fn time(key: &'static str, ms: Option<u64>, min: u64) -> Result<Option<Duration>, RetriesError> {
    match ms {
        Some(ms) if !(min..=MS_MAX).contains(&ms) => Err(RetriesError::Time { key, ms, min }),
        ms => Ok(ms.map(Duration::from_millis)),
    }
}

#[cfg(test)]
mod tests;
