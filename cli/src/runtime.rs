//! The async runtime of a command.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};

use crate::problem::Problem;

/// Runs a short command to its end on this thread.
pub fn block_on<T>(command: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    made(Builder::new_current_thread().enable_all().build())?.block_on(command)
}

/// A runtime for servers, with `threads` workers.
pub fn server(threads: usize) -> Result<Runtime, Problem> {
    made(Builder::new_multi_thread().worker_threads(threads.max(1)).enable_all().build())
}

fn made(runtime: std::io::Result<Runtime>) -> Result<Runtime, Problem> {
    runtime.map_err(|cause| Problem::failed("the runtime cannot start").because(cause))
}
