//! Protobuf → pool.

use outrigger_model::name::{AgentName, PoolName};
use outrigger_model::pool::policy::PoolPolicy;
use outrigger_model::pool::{Balance, Pool};

use super::field;
use super::pool_policy::policy;
use crate::error::{DecodeError, Wrong};
use crate::proto::snapshot as wire;

pub fn pool(wire: wire::Pool) -> Result<Pool, DecodeError> {
    let balance = match field::choice("balance", wire.balance)? {
        wire::pool::Balance::Unspecified => return Err(DecodeError::field("balance", Wrong::Missing)),
        wire::pool::Balance::RoundRobin => Balance::RoundRobin,
        wire::pool::Balance::LeastRequest => Balance::LeastRequest,
        wire::pool::Balance::Random => Balance::Random,
        wire::pool::Balance::ConsistentHash => Balance::ConsistentHash,
        wire::pool::Balance::PeakEwma => Balance::PeakEwma,
    };
    Ok(Pool {
        name: PoolName::new(&wire.name).map_err(|bad| DecodeError::field("name", bad))?,
        agent: AgentName::new(&wire.agent).map_err(|bad| DecodeError::field("agent", bad))?,
        balance,
        policy: wire.policy.map_or_else(|| Ok(PoolPolicy::default()), policy).map_err(|bad| bad.inside("policy"))?,
    })
}
