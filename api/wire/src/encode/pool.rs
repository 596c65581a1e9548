//! Pool → protobuf.

use outrigger_model::pool::{Balance, Pool};

use crate::proto::snapshot as wire;

pub fn pool(pool: &Pool) -> wire::Pool {
    let balance = match pool.balance {
        Balance::RoundRobin => wire::pool::Balance::RoundRobin,
        Balance::LeastRequest => wire::pool::Balance::LeastRequest,
    };
    wire::Pool { name: pool.name.to_string(), agent: pool.agent.to_string(), balance: balance.into() }
}
