//! The commands for the rows of the targets that are not about bare traffic.
//!
//! In: options. Out: a row as JSON in a file, and its table.
//! Never here: how a row is measured.

mod options;
mod control;
mod outages;
mod sessions;

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use outrigger_load_tests::outages::witness;
use tokio::runtime::Runtime;

use options::Failure;

#[derive(Debug, Subcommand)]
pub enum Rows {
    /// Measure control: how many reports it takes, how it resolves, how fast a change is everywhere
    #[command(subcommand)]
    Control(control::Control),
    /// Measure what callers see while parts of the mesh die, come back, or change
    #[command(subcommand)]
    Outages(outages::Outages),
    /// Measure what sessions cost: while they are kept, and when they are followed
    #[command(subcommand)]
    Sessions(sessions::Sessions),
    /// Serve an echo agent that writes down what it executes
    #[command(hide = true)]
    Witness {
        #[arg(long)]
        name: String,
        #[arg(long, default_value_t = 0)]
        port: u16,
        #[arg(long, value_name = "FILE")]
        port_file: PathBuf,
        #[arg(long, value_name = "FILE")]
        log: PathBuf,
        #[arg(long, default_value_t = 0)]
        delay_ms: u64,
        #[arg(long)]
        idempotent: bool,
    },
}

/// Measures one row.
pub fn run(
    rows: Rows,
    runtime: std::io::Result<Runtime>,
    say: &dyn Fn(String) -> std::io::Result<()>,
    note: &dyn Fn(String),
) -> Result<bool, Failure> {
    let runtime = runtime?;
    let (options, row) = match rows {
        Rows::Control(control) => control::measure(control, &runtime, note)?,
        Rows::Outages(outages) => outages::measure(outages, &runtime, note)?,
        Rows::Sessions(sessions) => sessions::measure(sessions, &runtime, note)?,
        Rows::Witness { name, port, port_file, log, delay_ms, idempotent } => {
            let delay = Duration::from_millis(delay_ms);
            let options = witness::Options { name, log, delay, is_idempotent: idempotent };
            let told = |address: std::net::SocketAddr| std::fs::write(port_file, address.to_string());
            runtime.block_on(witness::serve(port, options, told))?;
            return Ok(true);
        }
    };
    options.keep(&row)?;
    say(row.markdown())?;
    Ok(true)
}
