//! `outrigger schema`: the JSON Schema of a configuration file, for editors.

use outrigger_config::schema_text;
use outrigger_control::config::file::ControlFile;
use outrigger_proxy::config::ProxyFile;

use crate::args::{Schema, SchemaOf};
use crate::output::say;
use crate::problem::Problem;

pub fn run(schema: Schema) -> Result<(), Problem> {
    say(text(schema.of).trim_end())
}

fn text(of: SchemaOf) -> String {
    match of {
        SchemaOf::Proxy => schema_text::<ProxyFile>(),
        SchemaOf::Control => schema_text::<ControlFile>(),
    }
}

#[cfg(test)]
mod tests;
