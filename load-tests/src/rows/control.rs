//! The commands about control.

use clap::Subcommand;
use outrigger_load_tests::control::beat::Agents;
use outrigger_load_tests::control::crowd::Crowd;
use outrigger_load_tests::control::plain::Asks;
use outrigger_load_tests::control::{changes, heartbeats, plenty, registry, resolution};
use outrigger_load_tests::row::Row;
use tokio::runtime::Runtime;

use super::options::{Failure, Options};

#[derive(Debug, Subcommand)]
pub enum Control {
    /// Light and full reports per second and CPU each, with a short and with a long event log
    Registry {
        #[command(flatten)]
        common: Options,
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=4_000))]
        agents: u16,
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=1_000))]
        capabilities_each: u16,
        #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
        events: u64,
        #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
        paced_per_second: u64,
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=30))]
        paced_seconds: u64,
        #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
        lights: u64,
        #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
        fulls: u64,
    },
    /// Heartbeats of agents without a proxy: light and full, beside the registry of mcp-mesh, with a short and with a long event log
    Heartbeats {
        #[command(flatten)]
        common: Options,
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(4..=4_000))]
        agents: u16,
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
        tools_each: u16,
        #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
        events: u64,
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
        seconds: u64,
        #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
        connections: u16,
    },
    /// One requirement among many capabilities, in the core and over HTTP
    Resolution {
        #[command(flatten)]
        common: Options,
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
        capabilities: u32,
        #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
        count: u32,
        #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        http_count: u32,
    },
    /// From a change to the moment in which every proxy runs it
    Changes {
        #[command(flatten)]
        common: Options,
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=4_000))]
        watchers: u16,
        /// Sizes of the mesh
        #[arg(long, value_delimiter = ',', default_value = "10,1000")]
        replicas: Vec<u16>,
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
        replicas_per_agent: u16,
        /// Of each agent, beside its name
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=1_000))]
        capabilities_each: u16,
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
        changes: u16,
    },
    /// Many plain watchers: a change, a restart, and one that takes nothing
    Watchers {
        #[command(flatten)]
        common: Options,
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(10..=18_000))]
        watchers: u16,
        /// All types and the Manifest, as a proxy does, rather than Endpoints only
        #[arg(long)]
        everything: bool,
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(2..=1_000))]
        replicas: u16,
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1_000))]
        changes: u16,
    },
}

pub fn measure(control: Control, runtime: &Runtime, note: &dyn Fn(String)) -> Result<(Options, Row), Failure> {
    Ok(match control {
        Control::Registry {
            common,
            agents,
            capabilities_each,
            events,
            paced_per_second,
            paced_seconds,
            lights,
            fulls,
        } => {
            let options = registry::Options {
                agents: agents.into(),
                capabilities_each: capabilities_each.into(),
                events,
                paced_per_second,
                paced_seconds,
                lights,
                fulls,
            };
            let place = common.place(note)?;
            (common, runtime.block_on(registry::measure(&place, options, note))?)
        }
        Control::Heartbeats { common, agents, tools_each, events, seconds, connections } => {
            let options = heartbeats::Options {
                agents: Agents { count: agents.into(), tools_each: tools_each.into(), connections: connections.into() },
                events,
                seconds,
            };
            let place = common.place(note)?;
            (common, runtime.block_on(heartbeats::measure(&place, options, note))?)
        }
        Control::Resolution { common, capabilities, count, http_count } => {
            let options = resolution::Options {
                capabilities: usize::try_from(capabilities)?,
                count: usize::try_from(count)?,
                http_count: usize::try_from(http_count)?,
            };
            let place = common.place(note)?;
            (common, runtime.block_on(resolution::measure(&place, options, note))?)
        }
        Control::Changes { common, watchers, replicas, replicas_per_agent, capabilities_each, changes } => {
            let replicas = replicas.into_iter().map(usize::from).collect();
            let crowd = Crowd { capabilities: capabilities_each.into(), replicas_per_agent: replicas_per_agent.into() };
            let options = changes::Options { watchers: watchers.into(), replicas, crowd, changes: changes.into() };
            let place = common.place(note)?;
            (common, runtime.block_on(changes::measure(&place, &options, note))?)
        }
        Control::Watchers { common, watchers, everything, replicas, changes } => {
            let asks = if everything { Asks::Everything } else { Asks::Endpoints };
            let options =
                plenty::Options { watchers: watchers.into(), asks, replicas: replicas.into(), changes: changes.into() };
            let place = common.place(note)?;
            (common, runtime.block_on(plenty::measure(&place, &options, note))?)
        }
    })
}
