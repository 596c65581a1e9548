use std::time::Duration;

use outrigger_model::tag::TagSet;

use super::{PoolFault, check};
use crate::intent::OperatorPool;

type Change = fn(&mut OperatorPool);

/// (what is written, what is wrong with it)
#[test]
fn a_rule_that_makes_no_sense_is_named() {
    let day = Duration::from_secs(86_400);
    let rows: [(Change, PoolFault); 8] = [
        (|pool| pool.tiers = vec![TagSet::default(); 16], PoolFault::Tiers(16)),
        (|pool| pool.policy.panic_percent = 101, PoolFault::Percent { key: "panic_percent", percent: 101 }),
        (
            |pool| pool.policy.outlier.share_max_percent = 200,
            PoolFault::Percent { key: "outlier.share_max_percent", percent: 200 },
        ),
        (
            |pool| pool.policy.breaker.recovery = Duration::ZERO,
            PoolFault::Time { key: "breaker.recovery_seconds", time: Duration::ZERO },
        ),
        (
            |pool| pool.policy.slow_start = Duration::from_secs(2 * 86_400),
            PoolFault::Time { key: "slow_start_ms", time: day * 2 },
        ),
        (|pool| pool.policy.outlier.first = Duration::from_secs(60), PoolFault::Longest),
        (|pool| pool.policy.concurrency.total = Some(0), PoolFault::NoRoom { key: "concurrency.total" }),
        (|pool| pool.policy.concurrency.queue = 100_001, PoolFault::Queue(100_001)),
    ];
    for (change, fault) in rows {
        let mut pool = OperatorPool::default();
        assert_eq!(check(&pool), Ok(()));
        change(&mut pool);
        assert_eq!(check(&pool), Err(fault));
    }
}
