//! Limits on how often, and which calls go first: from a file to checked values.
//!
//! In: their parts of a [`ControlFile`](crate::config::file::ControlFile). Out: values of the model, or the key that is wrong and why.

use std::time::Duration;

use outrigger_model::rate::{Allowance, Per, RATES_MAX, RateLimit};
use outrigger_model::tool_pattern::{BadToolPattern, TOOL_PATTERNS_MAX};
use outrigger_model::traffic::Priority;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What comes back later than this is no limit on how often.
const EVERY_MS_MAX: u64 = 86_400_000;
const WINDOW_SECONDS_MAX: u64 = 366 * 86_400;

/// One limit: a token bucket with `every_ms`, or a quota with `window_seconds`.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateFile {
    /// What shares one allowance: all calls (all), each calling workload (caller), each agent (agent), each tool (tool). Default: all
    #[serde(default)]
    pub per: Option<String>,
    /// Only calls of these tools, each a name or with one `*` such as get_*. Default: every call
    #[serde(default)]
    pub tools: Vec<String>,
    /// How many calls.
    pub calls: u32,
    /// A token bucket: so many calls come back in this time, 1 to 86400000.
    #[serde(default)]
    pub every_ms: Option<u64>,
    /// With `every_ms`: how many calls may come at once. Default: as many as `calls`
    #[serde(default)]
    pub burst: Option<u32>,
    /// A quota: so many calls in each window of this length, 1 to 31622400. Counted by all proxies together where they share Redis.
    #[serde(default)]
    pub window_seconds: Option<u64>,
}

/// What is wrong, behind the place where it stands.
#[derive(Debug, thiserror::Error)]
pub enum RatesError {
    #[error("rates: {0} are more than {RATES_MAX}")]
    Many(usize),
    #[error("rates[{at}].per: `{text}` is none of all, caller, agent and tool")]
    Per { at: usize, text: String },
    #[error("rates[{at}].tools: {count} are more than {TOOL_PATTERNS_MAX}")]
    ManyTools { at: usize, count: usize },
    #[error("rates[{at}].tools: {cause}")]
    Tool { at: usize, cause: BadToolPattern },
    #[error("rates[{0}].calls: 0 would refuse every call")]
    NoCalls(usize),
    #[error("rates[{0}]: write exactly one of every_ms and window_seconds")]
    Kind(usize),
    #[error("rates[{at}].every_ms: {value} is not within 1 to {EVERY_MS_MAX}")]
    Every { at: usize, value: u64 },
    #[error("rates[{at}].window_seconds: {value} is not within 1 to {WINDOW_SECONDS_MAX}")]
    Window { at: usize, value: u64 },
    #[error("rates[{0}].burst: 0 would refuse every call")]
    NoBurst(usize),
    #[error("rates[{0}].burst: a quota has none; write `every_ms` instead of `window_seconds`, or leave it out")]
    BurstOfQuota(usize),
    #[error("priority: `{0}` is none of low, normal and high")]
    Priority(String),
}

pub(super) fn rates(files: &[RateFile]) -> Result<Vec<RateLimit>, RatesError> {
    if files.len() > RATES_MAX {
        return Err(RatesError::Many(files.len()));
    }
    files.iter().enumerate().map(|(at, file)| rate(at, file)).collect()
}

pub(super) fn priority(text: Option<&str>) -> Result<Priority, RatesError> {
    let Some(text) = text else { return Ok(Priority::default()) };
    Priority::parse(text).ok_or_else(|| RatesError::Priority(text.to_owned()))
}

fn rate(at: usize, file: &RateFile) -> Result<RateLimit, RatesError> {
    let RateFile { per, tools, calls, every_ms, burst, window_seconds } = file;
    let per = match per.as_deref() {
        None => Per::All,
        Some(text) => Per::parse(text).ok_or_else(|| RatesError::Per { at, text: text.to_owned() })?,
    };
    if tools.len() > TOOL_PATTERNS_MAX {
        return Err(RatesError::ManyTools { at, count: tools.len() });
    }
    let tools = tools.iter().map(|tool| tool.parse().map_err(|cause| RatesError::Tool { at, cause }));
    let tools = tools.collect::<Result<_, _>>()?;
    let calls = match *calls {
        0 => return Err(RatesError::NoCalls(at)),
        calls => calls,
    };
    let allowance = match (*every_ms, *window_seconds, *burst) {
        (Some(_), None, Some(0)) => return Err(RatesError::NoBurst(at)),
        (Some(value @ 1..=EVERY_MS_MAX), None, burst) => {
            Allowance::Bucket { calls, every: Duration::from_millis(value), burst: burst.unwrap_or(calls) }
        }
        (Some(value), None, _) => return Err(RatesError::Every { at, value }),
        (None, Some(_), Some(_)) => return Err(RatesError::BurstOfQuota(at)),
        (None, Some(value @ 1..=WINDOW_SECONDS_MAX), None) => {
            Allowance::Quota { calls, window: Duration::from_secs(value) }
        }
        (None, Some(value), None) => return Err(RatesError::Window { at, value }),
        (None, None, _) | (Some(_), Some(_), _) => return Err(RatesError::Kind(at)),
    };
    Ok(RateLimit { per, tools, allowance })
}
