//! Words of `outrigger snapshot`: what operators declare, its history, and how it changes.

mod wanted;
pub mod rollout;

use clap::{Args as Group, Subcommand};

use crate::render::form::Form;

use super::control_at::ControlAt;

pub use wanted::{Signature, Source};

#[derive(Debug, Subcommand)]
pub enum Snapshot {
    /// Say what a file would change, and for which proxies; nothing is written
    Plan(Plan),
    /// Have the routes, pools and settings of a file run
    Publish(Publish),
    /// Have an earlier intent run again, under a new number
    Rollback(Rollback),
    /// Have some proxies try a file before everybody gets it
    #[command(subcommand)]
    Rollout(rollout::Rollout),
    /// Say what differs between two intents
    Diff(Diff),
    /// List every intent there was, newest first
    History(History),
    /// Show what an intent declares; values of header fields are hidden
    Show(Show),
}

#[derive(Debug, Group)]
pub struct Plan {
    #[command(flatten)]
    pub source: Source,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Form,
    #[command(flatten)]
    pub at: ControlAt,
}

#[derive(Debug, Group)]
pub struct Publish {
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub signature: Signature,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Form,
    #[command(flatten)]
    pub at: ControlAt,
}

#[derive(Debug, Group)]
pub struct Rollback {
    /// Intent to go back to; left out, the one before the one that runs
    #[arg(value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub to: Option<u64>,
    #[command(flatten)]
    pub signature: Signature,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Form,
    #[command(flatten)]
    pub at: ControlAt,
}

#[derive(Debug, Group)]
pub struct Diff {
    /// Left out, the intent before the one that runs
    #[arg(value_name = "BEFORE")]
    pub before: Option<u64>,
    /// Left out, the one that runs
    #[arg(value_name = "AFTER")]
    pub after: Option<u64>,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Form,
    #[command(flatten)]
    pub at: ControlAt,
}

#[derive(Debug, Group)]
pub struct History {
    /// How many of the newest
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub limit: u32,
    /// Only intents before this one
    #[arg(long, value_name = "NUMBER")]
    pub before: Option<u64>,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Form,
    #[command(flatten)]
    pub at: ControlAt,
}

#[derive(Debug, Group)]
pub struct Show {
    /// Left out, the one that runs
    #[arg(value_name = "NUMBER")]
    pub number: Option<u64>,
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Form,
    #[command(flatten)]
    pub at: ControlAt,
}
