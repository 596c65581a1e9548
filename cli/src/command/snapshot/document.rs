//! Reads what is to be declared from a file, with the variables and overrides of this machine.
//!
//! In: the path of a file, or `-`. Out: its `routes`, `pools` and `settings` as JSON, or a problem with exit code 64.
//! Invariant: what control would refuse for its shape or meaning is refused here, with the line where it stands.

use std::io::Read as _;
use std::path::Path;

use outrigger_config::FILE_BYTES_MAX;
use outrigger_control::config::document::Document;
use outrigger_control::config::file::ControlFile;
use serde_json::Value;

use crate::environment;
use crate::problem::Problem;

const HINT: &str = "outrigger schema control   lists every key of `routes`, `pools` and `settings`";

pub fn read(file: &Path) -> Result<Value, Problem> {
    let environment = environment::for_files();
    let read: Result<ControlFile, _> = match file.as_os_str() == "-" {
        true => outrigger_config::load_str(&standard_input()?, &environment),
        false => outrigger_config::load(file, &environment),
    };
    let refused = |what: &str| Problem::configuration(what.to_owned()).next(HINT);
    let read = read.map_err(|cause| refused("the document is refused").because(cause))?;
    let document = Document::of(read.into()).map_err(|cause| refused(&file.display().to_string()).because(cause))?;
    serde_json::from_str(&document.text).map_err(|cause| Problem::failed("the document cannot be sent").because(cause))
}

fn standard_input() -> Result<String, Problem> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|cause| Problem::failed("standard input cannot be read").because(cause))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(Problem::configuration(format!("standard input is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}
