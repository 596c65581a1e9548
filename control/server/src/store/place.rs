//! Where the facts are kept, as operators write it: `memory`, `sqlite:FILE` or `postgres://USER@HOST/DATABASE`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::database::{BadDatabase, Database};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    Memory,
    Sqlite(PathBuf),
    Postgres(Database),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPlace {
    #[error("`{0}` is not a store; write `sqlite:FILE`, `postgres://USER@HOST/DATABASE` or `memory`")]
    Unknown(String),
    #[error(transparent)]
    Database(#[from] BadDatabase),
}

impl StorePlace {
    /// Paths in it start at `folder`.
    pub fn within(self, folder: &Path) -> Self {
        match self {
            Self::Memory => Self::Memory,
            Self::Sqlite(path) => Self::Sqlite(folder.join(path)),
            Self::Postgres(database) => Self::Postgres(database.within(folder)),
        }
    }
}

impl FromStr for StorePlace {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        match text.split_once(':') {
            None if text == "memory" => Ok(Self::Memory),
            Some(("sqlite", path)) if !path.is_empty() => {
                Ok(Self::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path))))
            }
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.parse()?)),
            // What looks like an address may hold a password.
            Some((scheme, _)) if text.contains('@') => Err(BadPlace::Unknown(format!("{scheme}:…"))),
            _ => Err(BadPlace::Unknown(text.to_owned())),
        }
    }
}
