//! The commands about sessions.

use clap::Subcommand;
use outrigger_load_tests::row::Row;
use outrigger_load_tests::sessions::{followed, kept};
use tokio::runtime::Runtime;

use super::options::{Failure, Options};

#[derive(Debug, Subcommand)]
pub enum Sessions {
    /// Memory of open sessions, in the proxy and in Redis
    Kept {
        #[command(flatten)]
        common: Options,
        #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=200_000))]
        sessions: u64,
    },
    /// CPU of calls in sessions, beside calls that nothing binds
    Followed {
        #[command(flatten)]
        common: Options,
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=50))]
        rounds: u16,
        /// Of each kind in each round
        #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
        calls: u64,
    },
}

pub fn measure(sessions: Sessions, runtime: &Runtime, note: &dyn Fn(String)) -> Result<(Options, Row), Failure> {
    Ok(match sessions {
        Sessions::Kept { common, sessions } => {
            let place = common.place(note)?;
            (common, runtime.block_on(kept::measure(&place, sessions, note))?)
        }
        Sessions::Followed { common, rounds, calls } => {
            let place = common.place(note)?;
            let options = followed::Options { rounds: rounds.into(), calls };
            (common, runtime.block_on(followed::measure(&place, options, note))?)
        }
    })
}
