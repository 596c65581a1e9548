//! Writes what was asked for to standard output.
//!
//! Invariant: a reader that has gone away (`outrigger get agents | head`) ends the command, never with a panic.

use std::fmt::Display;
use std::io::Write as _;

use crate::problem::Problem;

/// Writes one line, at once.
pub fn say(line: impl Display) -> Result<(), Problem> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(closed)
}

/// Writes a line about what is going on, to where people look and scripts do not.
pub fn note(line: impl Display) {
    // Without a stderr there is nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

fn closed(cause: std::io::Error) -> Problem {
    Problem::failed("standard output cannot be written").because(cause)
}
