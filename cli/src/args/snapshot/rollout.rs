//! Words of `outrigger snapshot rollout`.

use clap::{Args as Group, Subcommand};

use crate::render::form::Form;

use super::super::control_at::ControlAt;
use super::wanted::{Signature, Source};

#[derive(Debug, Subcommand)]
pub enum Rollout {
    /// Have some proxies run by the routes, pools and settings of a file, then ever more, then all
    Start(Box<Start>),
    /// Say how the rollout stands, and what its proxies do beside all others
    Status(Status),
    /// Go to the next step now
    Widen(Move),
    /// Have everybody get what is tried
    Promote(Move),
    /// Have everybody back on what runs
    Abort(Abort),
}

#[derive(Debug, Group)]
pub struct Start {
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub signature: Signature,
    /// Shares of all proxies in percent, growing, such as 1,10,50,100; left out, these, or none where there are labels
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(1..=100))]
    pub steps: Vec<u8>,
    /// Proxies with these labels get it first, such as track=canary
    #[arg(long, value_name = "NAME=VALUE")]
    pub labels: Option<String>,
    /// Wait for `widen` after each step, and for `promote` after the last
    #[arg(long)]
    pub manual: bool,
    /// How long a step lasts at least; left out, 30
    #[arg(long, value_name = "SECONDS")]
    pub soak: Option<u64>,
    /// How long a step waits for calls and for proxies; left out, 600
    #[arg(long, value_name = "SECONDS")]
    pub patience: Option<u64>,
    /// By how much more of the calls may fail than elsewhere, 0 to 1; left out, 0.01
    #[arg(long, value_name = "RATIO")]
    pub error_increase: Option<f64>,
    /// Calls that have to be made before they are compared; left out, 20
    #[arg(long, value_name = "CALLS")]
    pub min_calls: Option<u64>,
    /// How many times as long an answer may take as elsewhere, such as 1.5; left out, that is not compared
    #[arg(long, value_name = "FACTOR")]
    pub slow_factor: Option<f64>,
    #[command(flatten)]
    pub seen: Seen,
}

/// How a rollout is shown.
#[derive(Debug, Group)]
pub struct Seen {
    /// Show each change until the rollout has ended; fails if it was aborted
    #[arg(short, long)]
    pub watch: bool,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Form,
    #[command(flatten)]
    pub at: ControlAt,
}

#[derive(Debug, Group)]
pub struct Status {
    #[command(flatten)]
    pub seen: Seen,
}

#[derive(Debug, Group)]
pub struct Move {
    /// Who, for the event log
    #[arg(long, value_name = "NAME", env = "USER")]
    pub author: String,
    #[command(flatten)]
    pub seen: Seen,
}

#[derive(Debug, Group)]
pub struct Abort {
    /// Who, for the event log
    #[arg(long, value_name = "NAME", env = "USER")]
    pub author: String,
    /// Why, for the event log
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Form,
    #[command(flatten)]
    pub at: ControlAt,
}
