//! How calls are spread over the replicas of an agent, how those are judged, and how much each of them is given at once.
//!
//! In: `pools:` as people write it. Out: an [`OperatorPool`], or the key that is wrong.
//! Never here: whether values make sense together; the core says that.

use std::time::Duration;

use outrigger_control_core::intent::OperatorPool;
use outrigger_model::name::{AgentName, BadName};
use outrigger_model::pool::Balance;
use outrigger_model::pool::policy::{Breaker, Concurrency, Outlier, PoolPolicy};
use outrigger_model::tag::{BadTag, TagSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rates::{self, RateFile, RatesError};

/// Rules for the replicas of one agent.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolFile {
    pub agent: String,
    /// How a replica is chosen: round_robin, least_request, random, consistent_hash (by caller) or peak_ewma (by how long answers take). The
    /// spellings of `mcp_services:` (ROUND_ROBIN, LEAST_CONNECTIONS, WEIGHTED, RANDOM, IP_HASH) are taken as well, and `load_balancer` for
    /// the key. Default: least_request
    #[serde(default, alias = "load_balancer")]
    pub balance: Option<String>,
    /// Lists of tags: replicas with all tags of the first list are preferred, then those of the second, then all others. At most 15.
    #[serde(default)]
    pub tiers: Vec<Vec<String>>,
    /// Where fewer of a tier, or of the own zone, can be used than this share, calls go to the next as well; 0 to 100. Default: 50
    #[serde(default)]
    pub panic_percent: Option<u8>,
    /// Replicas of the proxy's own zone come first, where both say which they are in. Default: true
    #[serde(default)]
    pub prefer_zone: Option<bool>,
    /// How long a new replica takes to get its whole share; it begins with a tenth. Default: 0
    #[serde(default)]
    pub slow_start_ms: Option<u64>,
    #[serde(default)]
    pub outlier: OutlierFile,
    /// Also written `circuit_breaker`.
    #[serde(default, alias = "circuit_breaker")]
    pub breaker: BreakerFile,
    #[serde(default)]
    pub concurrency: ConcurrencyFile,
    /// How often each of its replicas may be called, whoever calls; at most 8.
    #[serde(default)]
    pub rates: Vec<RateFile>,
}

/// When a replica that refuses connections is left alone.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OutlierFile {
    /// After the first failure to connect; each further one doubles it. Default: 1000
    pub first_ms: Option<u64>,
    /// At most. Default: 30000
    pub longest_ms: Option<u64>,
    /// Most of the replicas that are left alone at a time, 0 to 100, rounded up; one may always be. Default: 100
    pub share_max_percent: Option<u8>,
    /// Whether a result with `isError` counts against the tool that gave it. Default: false
    pub tool_errors: Option<bool>,
}

/// When no calls are sent to a replica that answers badly.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerFile {
    /// Bad answers in a row that open its circuit; 0 is never. Default: 5
    pub failure_threshold: Option<u32>,
    /// For how long, until one call tries; also written `recovery_timeout`. Default: 30
    #[serde(alias = "recovery_timeout")]
    pub recovery_seconds: Option<u64>,
}

/// How many calls are under way at once, counted by each proxy for itself.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConcurrencyFile {
    /// At each replica. The proxy beside it holds all callers together to it. Default: no limit
    pub per_endpoint: Option<u32>,
    /// At all replicas together. Default: no limit
    pub total: Option<u32>,
    /// Calls that wait for room; the next one is refused. Default: 64
    pub queue: Option<u32>,
    /// How long one waits, at most. Default: 1000
    pub queue_wait_ms: Option<u64>,
}

/// What is wrong, behind the place where it stands.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    #[error("agent: {0}")]
    Agent(BadName),
    #[error("balance: `{0}` is none of round_robin, least_request, random, consistent_hash and peak_ewma")]
    Balance(String),
    #[error("tiers[{at}]: {cause}")]
    Tier { at: usize, cause: BadTag },
    #[error(transparent)]
    Rates(#[from] RatesError),
}

pub(super) fn pool(file: &PoolFile) -> Result<(AgentName, OperatorPool), PoolError> {
    let agent = AgentName::new(&file.agent).map_err(PoolError::Agent)?;
    let balance = match &file.balance {
        None => Balance::default(),
        Some(text) => Balance::parse(text).ok_or_else(|| PoolError::Balance(text.clone()))?,
    };
    let tiers = file.tiers.iter().enumerate();
    let tiers = tiers.map(|(at, tags)| TagSet::parse(tags).map_err(|cause| PoolError::Tier { at, cause }));
    let tiers = tiers.collect::<Result<_, _>>()?;
    let policy = PoolPolicy { rates: rates::rates(&file.rates)?, ..policy(file) };
    Ok((agent, OperatorPool { balance, policy, tiers }))
}

fn policy(file: &PoolFile) -> PoolPolicy {
    let usual = PoolPolicy::default();
    PoolPolicy {
        slow_start: file.slow_start_ms.map_or(usual.slow_start, Duration::from_millis),
        panic_percent: file.panic_percent.unwrap_or(usual.panic_percent),
        prefer_zone: file.prefer_zone.unwrap_or(usual.prefer_zone),
        outlier: outlier(&file.outlier, usual.outlier),
        breaker: Breaker {
            failure_threshold: file.breaker.failure_threshold.unwrap_or(usual.breaker.failure_threshold),
            recovery: file.breaker.recovery_seconds.map_or(usual.breaker.recovery, Duration::from_secs),
        },
        concurrency: concurrency(&file.concurrency, usual.concurrency),
        rates: usual.rates,
    }
}

fn outlier(file: &OutlierFile, usual: Outlier) -> Outlier {
    Outlier {
        first: file.first_ms.map_or(usual.first, Duration::from_millis),
        longest: file.longest_ms.map_or(usual.longest, Duration::from_millis),
        share_max_percent: file.share_max_percent.unwrap_or(usual.share_max_percent),
        tool_errors: file.tool_errors.unwrap_or(usual.tool_errors),
    }
}

fn concurrency(file: &ConcurrencyFile, usual: Concurrency) -> Concurrency {
    Concurrency {
        per_endpoint: file.per_endpoint.or(usual.per_endpoint),
        total: file.total.or(usual.total),
        queue: file.queue.unwrap_or(usual.queue),
        queue_wait: file.queue_wait_ms.map_or(usual.queue_wait, Duration::from_millis),
        adaptive: usual.adaptive,
    }
}
