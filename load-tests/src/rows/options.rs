//! What every command for a row takes: which binary, and where the row goes.

use std::path::{Path, PathBuf};

use clap::Args;
use outrigger_load_tests::peers::Place;
use outrigger_load_tests::row::Row;

pub type Failure = Box<dyn std::error::Error>;

#[derive(Debug, Args)]
pub struct Options {
    /// Where the row goes, as JSON; the table goes beside it with the ending `md`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The binary to measure; beside this one if not given
    #[arg(long, value_name = "FILE", env = "OUTRIGGER_BIN")]
    outrigger: Option<PathBuf>,
}

impl Options {
    /// Where things are; moves this process to its core.
    pub fn place(&self, note: &dyn Fn(String)) -> Result<Place, Failure> {
        let place = Place::find(self.outrigger.clone())?;
        if !place.cores.take_mine() {
            note("cannot pin to a core (is taskset there?); figures will be noisier".to_owned());
        }
        Ok(place)
    }

    pub fn keep(&self, row: &Row) -> Result<(), Failure> {
        let Some(out) = &self.out else { return Ok(()) };
        if let Some(folder) = out.parent().filter(|folder| *folder != Path::new("")) {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(out, serde_json::to_string_pretty(row)?)?;
        std::fs::write(out.with_extension("md"), row.markdown())?;
        Ok(())
    }
}
