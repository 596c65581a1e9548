//! What is to be declared, by whom and why.

use std::path::PathBuf;

use clap::Args as Group;

/// What is declared.
#[derive(Debug, Group)]
pub struct Source {
    /// File with `routes`, `pools` and `settings`; a whole control.yaml will do, of which only these are taken. `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
}

/// Who wants a change, and why.
#[derive(Debug, Group)]
pub struct Signature {
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Who, for the history
    #[arg(long, value_name = "NAME", env = "USER")]
    pub author: String,
    /// Do it only if this intent runs; left out, the one that runs now
    #[arg(long, value_name = "NUMBER")]
    pub expect: Option<u64>,
}
