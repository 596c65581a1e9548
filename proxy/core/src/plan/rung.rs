//! The rungs of the ladder of affinities.

use crate::session::key::KeyKind;

/// Which rung of the ladder decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rung {
    Key(KeyKind),
    Named,
    Agent,
    Balance,
}

impl Rung {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Key(kind) => kind.as_str(),
            Self::Named => "named",
            Self::Agent => "agent",
            Self::Balance => "balance",
        }
    }
}
