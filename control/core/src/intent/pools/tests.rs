use std::time::Duration;

use outrigger_model::pool::policy::PoolPolicy;

use super::{PoolFault, check};

type Change = fn(&mut PoolPolicy);

/// (what is written, what is wrong with it)
#[test]
fn a_rule_that_makes_no_sense_is_named() {
    let day = Duration::from_secs(86_400);
    let rows: [(Change, PoolFault); 7] = [
        (|policy| policy.panic_percent = 101, PoolFault::Percent { key: "panic_percent", percent: 101 }),
        (
            |policy| policy.outlier.share_max_percent = 200,
            PoolFault::Percent { key: "outlier.share_max_percent", percent: 200 },
        ),
        (
            |policy| policy.breaker.recovery = Duration::ZERO,
            PoolFault::Time { key: "breaker.recovery_seconds", time: Duration::ZERO },
        ),
        (
            |policy| policy.slow_start = Duration::from_secs(2 * 86_400),
            PoolFault::Time { key: "slow_start_ms", time: day * 2 },
        ),
        (|policy| policy.outlier.first = Duration::from_secs(60), PoolFault::Longest),
        (|policy| policy.concurrency.total = Some(0), PoolFault::NoRoom { key: "concurrency.total" }),
        (|policy| policy.concurrency.queue = 100_001, PoolFault::Queue(100_001)),
    ];
    for (change, fault) in rows {
        let mut policy = PoolPolicy::default();
        assert_eq!(check(&policy, 15), Ok(()));
        change(&mut policy);
        assert_eq!(check(&policy, 15), Err(fault));
    }
    assert_eq!(check(&PoolPolicy::default(), 16), Err(PoolFault::Tiers(16)));
}
