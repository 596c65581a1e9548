//! The forms that `-o` chooses between.

use clap::ValueEnum;
use serde_json::Value;

use crate::problem::Problem;
use crate::render::table::{Column, table};

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Form {
    /// Aligned columns.
    #[default]
    Table,
    /// Aligned columns, all of them.
    Wide,
    /// What control said, as JSON.
    Json,
    /// What control said, as YAML.
    Yaml,
}

/// A list in the form asked for. An empty list is `empty`, where people read it.
pub fn list(form: Form, columns: &[Column], answer: &Value, empty: &str) -> Result<String, Problem> {
    let rows = answer.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    match form {
        Form::Table | Form::Wide if rows.is_empty() => Ok(empty.to_owned()),
        Form::Table => Ok(table(columns, rows, false)),
        Form::Wide => Ok(table(columns, rows, true)),
        Form::Json | Form::Yaml => document(form, answer),
    }
}

/// A whole answer as YAML if that is asked for, otherwise as JSON.
pub fn document(form: Form, answer: &Value) -> Result<String, Problem> {
    let odd =
        |cause: Box<dyn std::error::Error + Send + Sync>| Problem::failed("the answer cannot be shown").because(cause);
    match form {
        Form::Yaml => serde_saphyr::to_string(answer)
            .map(|text| text.trim_end().to_owned())
            .map_err(|cause| odd(cause.to_string().into())),
        Form::Table | Form::Wide | Form::Json => {
            serde_json::to_string_pretty(answer).map_err(|cause| odd(cause.into()))
        }
    }
}
