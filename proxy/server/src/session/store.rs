//! What every store of bindings can do.
//!
//! In: keys and bindings. Out: bindings, or why the store could not say.
//! Invariant: a binding that is not offered again within its time is gone; one never gives way to one that moved less often.

use std::time::Duration;

use async_trait::async_trait;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::SessionKey;

/// A store; every implementation passes the suite in `conformance`.
#[async_trait]
pub trait Store: Send + Sync {
    async fn get(&self, key: &SessionKey) -> Result<Option<Binding>, StoreError>;

    /// Keeps a binding for `kept` from now on, unless one is there that does not give way to it; what is there afterwards.
    /// Atomic: of all who offer a first binding at once, one is taken and all get that one.
    async fn offer(&self, key: &SessionKey, binding: &Binding, kept: Duration) -> Result<Binding, StoreError>;

    async fn forget(&self, key: &SessionKey) -> Result<(), StoreError>;
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("`sessions.redis_url` is not a URL such as redis://127.0.0.1:6379/0")]
    Url(#[source] redis::RedisError),
    #[error("the store is not connected")]
    Away,
    #[error("the store did not answer in time")]
    Late,
    #[error("the store answered with an error")]
    Failed(#[source] redis::RedisError),
    #[error("the store holds something else than a binding under this key")]
    Unreadable,
    #[error("the binding could not be sealed")]
    Seal,
}
