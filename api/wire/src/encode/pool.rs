//! Pool → protobuf.

use outrigger_model::pool::{Balance, Pool};

use super::pool_policy;
use crate::proto::snapshot as wire;

pub fn pool(pool: &Pool) -> wire::Pool {
    let balance = match pool.balance {
        Balance::RoundRobin => wire::pool::Balance::RoundRobin,
        Balance::LeastRequest => wire::pool::Balance::LeastRequest,
        Balance::Random => wire::pool::Balance::Random,
        Balance::ConsistentHash => wire::pool::Balance::ConsistentHash,
        Balance::PeakEwma => wire::pool::Balance::PeakEwma,
    };
    wire::Pool {
        name: pool.name.to_string(),
        agent: pool.agent.to_string(),
        balance: balance.into(),
        policy: Some(pool_policy::policy(&pool.policy)),
    }
}
