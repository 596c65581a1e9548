//! `outrigger completion`: a completion script on standard output.

use std::io::Write as _;

use clap::CommandFactory as _;

use crate::args::{Args, Completion};
use crate::problem::Problem;

pub fn run(completion: Completion) -> Result<(), Problem> {
    let mut script = Vec::new();
    clap_complete::generate(completion.shell, &mut Args::command(), "outrigger", &mut script);
    let written = std::io::stdout().lock().write_all(&script);
    written.map_err(|cause| Problem::failed("standard output cannot be written").because(cause))
}
