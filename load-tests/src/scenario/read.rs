//! A file becomes a [`Scenario`], or an error that names the file and the key.

use std::path::{Path, PathBuf};

use super::file::ScenarioFile;
use super::plan::Scenario;

#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    #[error("{0}: cannot be read")]
    Read(PathBuf, #[source] std::io::Error),
    #[error("{path}: {said}")]
    Parse { path: PathBuf, said: String },
    #[error("{path}: `{key}` {wrong}")]
    Value { path: PathBuf, key: &'static str, wrong: &'static str },
}

impl Scenario {
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path).map_err(|cause| ScenarioError::Read(path.to_owned(), cause))?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ScenarioError> {
        let file: ScenarioFile = serde_saphyr::from_str(text)
            .map_err(|cause| ScenarioError::Parse { path: path.to_owned(), said: cause.to_string() })?;
        file.check().map_err(|(key, wrong)| ScenarioError::Value { path: path.to_owned(), key, wrong })
    }
}

#[cfg(test)]
mod tests;
