//! The commands about outages.

use clap::Subcommand;
use outrigger_load_tests::outages::{control_killed, dead_replica, hot_changes, python, redis_killed, replica_killed};
use outrigger_load_tests::row::Row;
use tokio::runtime::Runtime;

use super::options::{Failure, Options};

#[derive(Debug, Subcommand)]
pub enum Outages {
    /// Kill control and bring it back, again and again
    ControlKilled {
        #[command(flatten)]
        common: Options,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1_000))]
        kills: u16,
        /// Calls in sessions, and as many that are balanced
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        per_second: u64,
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=30))]
        quiet_seconds: u64,
    },
    /// Kill Redis under calls of known sessions
    RedisKilled {
        #[command(flatten)]
        common: Options,
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=50))]
        rounds: u16,
        /// Of one half of a round
        #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=30))]
        seconds: u64,
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        per_second: u64,
        /// Stop it in its tracks instead
        #[arg(long)]
        hangs: bool,
    },
    /// Change what proxies run, again and again
    HotChanges {
        #[command(flatten)]
        common: Options,
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        changes: u64,
        /// Calls in sessions, and as many that are balanced
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        per_second: u64,
    },
    /// Let one of three replicas die: refused, hung, silent
    DeadReplica {
        #[command(flatten)]
        common: Options,
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=20))]
        rounds: u16,
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=30))]
        quiet_seconds: u64,
        /// After the fault; less where less tells as much
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=60))]
        watch_seconds: u64,
        /// To the first byte of an answer, on the route that is called
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(50..=9_000))]
        deadline_ms: u64,
    },
    /// Kill replicas in the middle of calls, and count what was executed twice
    ReplicaKilled {
        #[command(flatten)]
        common: Options,
        #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=100))]
        kills: u16,
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        per_second: u64,
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=1_000))]
        delay_ms: u64,
    },
    /// Call Python agents on kept connections, directly and through a proxy
    Python {
        #[command(flatten)]
        common: Options,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        calls: u32,
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
        rounds: u32,
    },
}

pub fn measure(outages: Outages, runtime: &Runtime, note: &dyn Fn(String)) -> Result<(Options, Row), Failure> {
    Ok(match outages {
        Outages::ControlKilled { common, kills, per_second, quiet_seconds } => {
            let options = control_killed::Options { kills: kills.into(), per_second, quiet_seconds };
            let place = common.place(note)?;
            (common, runtime.block_on(control_killed::measure(&place, options, note))?)
        }
        Outages::RedisKilled { common, rounds, seconds, per_second, hangs } => {
            let options = redis_killed::Options { rounds: rounds.into(), seconds, per_second, hangs };
            let place = common.place(note)?;
            (common, runtime.block_on(redis_killed::measure(&place, options, note))?)
        }
        Outages::HotChanges { common, changes, per_second } => {
            let options = hot_changes::Options { changes, per_second };
            let place = common.place(note)?;
            (common, runtime.block_on(hot_changes::measure(&place, options, note))?)
        }
        Outages::DeadReplica { common, rounds, quiet_seconds, watch_seconds, deadline_ms } => {
            let options = dead_replica::Options { rounds: rounds.into(), quiet_seconds, watch_seconds, deadline_ms };
            let place = common.place(note)?;
            (common, runtime.block_on(dead_replica::measure(&place, options, note))?)
        }
        Outages::ReplicaKilled { common, kills, per_second, delay_ms } => {
            let options = replica_killed::Options { kills: kills.into(), per_second, delay_ms };
            let place = common.place(note)?;
            (common, runtime.block_on(replica_killed::measure(&place, options, note))?)
        }
        Outages::Python { common, calls, rounds } => {
            let (calls, rounds) = (usize::try_from(calls)?, usize::try_from(rounds)?);
            let place = common.place(note)?;
            (common, runtime.block_on(python::measure(&place, python::Options { calls, rounds }, note))?)
        }
    })
}
