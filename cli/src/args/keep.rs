//! What `outrigger control` does with its store instead of serving from it.
//!
//! In: words of the command line. Out: [`Keep`]. Never here: stores.

use std::path::PathBuf;

use clap::Subcommand;

/// What is done with control's store instead of serving from it.
#[derive(Debug, Subcommand)]
pub enum Keep {
    /// Copy the store into a new file, also while control runs
    Backup {
        #[arg(value_name = "FILE")]
        to: PathBuf,
    },
    /// Make the store what a copy is, in a new epoch; control must be stopped. Without a file: begin a new epoch of a PostgreSQL database
    /// that was restored with its own tools
    Restore {
        #[arg(value_name = "FILE")]
        from: Option<PathBuf>,
    },
}
