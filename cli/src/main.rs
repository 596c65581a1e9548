//! The binary `outrigger`: parses the command line, runs one command, turns its failure into lines and an exit code.
//!
//! Never here: what a command does; that is in `command`, and what the mesh does is in the crates below.
//! Invariant: exit code 0 fine, 1 the thing asked failed, 2 bad usage, 64 bad configuration.

mod problem;
mod output;
mod logging;
mod ports;
mod target;
mod http;
mod render;
mod mcp;
mod runtime;
mod descriptors;
mod environment;
mod configuration;
mod ask;
mod identity;
mod shown;
mod signals;
mod args;
mod command;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};
use problem::Problem;
use runtime::block_on;

// The data path makes many small, short-lived buffers on several threads; mimalloc keeps those cheap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            output::note(problem.report());
            problem.exit_code()
        }
    }
}

fn run(command: Command) -> Result<(), Problem> {
    match command {
        Command::Up(up) => command::up::run(up),
        Command::Proxy(beside) => command::proxy::run(beside),
        Command::Control(serve) => command::control::run(serve),
        Command::Get(get) => block_on(command::get::run(get)),
        Command::Sessions(sessions) => block_on(command::sessions::run(sessions)),
        Command::Snapshot(snapshot) => block_on(command::snapshot::run(snapshot)),
        Command::Explain(explain) => block_on(command::explain::run(explain)),
        Command::Call(call) => block_on(command::call::run(call)),
        Command::Watch(watch) => block_on(command::watch::run(watch)),
        Command::Ca(ca) => command::ca::run(ca),
        Command::Validate(validate) => command::validate::run(validate),
        Command::Schema(schema) => command::schema::run(schema),
        Command::Completion(completion) => command::completion::run(completion),
        Command::Check(check) => block_on(command::check::run(check)),
        Command::Healthcheck(check) => block_on(command::healthcheck::run(check)),
    }
}
