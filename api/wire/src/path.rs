//! Where in a message something is wrong: `Capability/forecast.tools[3].schema_digest`.
//!
//! Built from the inside out, and only when something is wrong: a good message costs nothing.

use std::fmt;

/// A path from a resource or message down to one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldPath {
    /// Innermost first.
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(&'static str),
    Item(&'static str, usize),
    Resource { kind: &'static str, name: String },
}

impl FieldPath {
    /// The path of a field of the message at hand.
    pub fn field(name: &'static str) -> Self {
        Self { steps: vec![Step::Field(name)] }
    }

    /// The message itself.
    pub fn here() -> Self {
        Self::default()
    }

    /// The same place, seen from the message that holds this one in `field`.
    #[must_use]
    pub fn inside(mut self, field: &'static str) -> Self {
        self.steps.push(Step::Field(field));
        self
    }

    /// The same place, seen from the message that holds this one as item `at` of `field`.
    #[must_use]
    pub fn inside_item(mut self, field: &'static str, at: usize) -> Self {
        self.steps.push(Step::Item(field, at));
        self
    }

    /// The same place, seen from the snapshot that holds this message as a resource.
    #[must_use]
    pub fn inside_resource(mut self, kind: &'static str, name: &str) -> Self {
        // A name of a peer may be anything; what is shown of it is bounded.
        let name = name.chars().take(128).collect();
        self.steps.push(Step::Resource { kind, name });
        self
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.steps.iter().rev().enumerate() {
            if depth > 0 {
                out.write_str(".")?;
            }
            match step {
                Step::Field(name) => out.write_str(name)?,
                Step::Item(name, at) => write!(out, "{name}[{at}]")?,
                Step::Resource { kind, name } => write!(out, "{kind}/{name}")?,
            }
        }
        Ok(())
    }
}
