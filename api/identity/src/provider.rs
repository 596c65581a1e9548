//! The one cryptography provider of the house.
//!
//! Out: ring, named explicitly, so that no process-wide default has to be installed first.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
