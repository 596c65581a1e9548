//! The `identity:` key, which every server has: where its certificate is.
//!
//! Out: paths as written; they are relative to the folder of the file they stand in.

use schemars::JsonSchema;
use serde::Deserialize;

/// PEM files, relative to this file. `outrigger ca init` and `outrigger ca issue` make them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityFile {
    /// The certificate of this server, with its chain.
    pub certificate: String,
    /// The private key that belongs to it.
    pub key: String,
    /// The certificates of the authority that issued all others.
    pub authority: String,
}
