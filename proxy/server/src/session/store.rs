//! What every store of bindings can do.
//!
//! In: keys and bindings. Out: bindings, or why the store could not say; news of what others did to them.
//! Invariant: a binding that is not offered again within its time is gone; one never gives way to one that moved less often.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::SessionKey;
use redis::{ErrorKind, RedisError, ServerErrorKind};
use tokio::sync::mpsc;

use crate::telemetry::StoreFault;

/// A store; every implementation passes the suite in `conformance`.
#[async_trait]
pub trait Store: Send + Sync {
    async fn get(&self, key: &SessionKey) -> Result<Option<Binding>, StoreError>;

    /// Keeps a binding for `kept` from now on, unless one is there that does not give way to it; what is there afterwards.
    /// Atomic: of all who offer a first binding at once, one is taken and all get that one.
    async fn offer(&self, key: &SessionKey, binding: &Binding, kept: Duration) -> Result<Binding, StoreError>;

    /// Forgets a binding unless it moved more than `moves` times: who saw it end elsewhere knows nothing of a later place.
    async fn forget(&self, key: &SessionKey, moves: u32) -> Result<(), StoreError>;

    /// What others do to bindings, for who holds copies of them. It is given out once; none where a store has nobody else.
    fn news(&self) -> Option<mpsc::Receiver<News>> {
        None
    }
}

/// What others did to bindings in a store that they share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The store is there (again): it may have lost what it said it had, and news may have been missed.
    Back,
    Moved(SessionKey, Binding, Duration),
    /// One that moved at most so often.
    Forgotten(SessionKey, u32),
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{} cannot be read", .0.display())]
    File(PathBuf, #[source] io::Error),
    #[error("the URL or the certificates cannot be used")]
    Settings(#[source] RedisError),
    #[error("the store is not connected")]
    Away,
    #[error("the store did not answer in time")]
    Late,
    #[error("the store answered with an error")]
    Failed(#[source] RedisError),
    #[error("no sentinel knows a primary of this name")]
    NoPrimary,
    #[error("the node that the sentinels named is no primary")]
    NotPrimary,
    #[error("the store holds something else than a binding under this key")]
    Unreadable,
    #[error("the binding is too large for the store")]
    TooLarge,
    #[error("the binding could not be sealed")]
    Seal,
}

impl StoreError {
    pub fn fault(&self) -> StoreFault {
        match self {
            Self::Away => StoreFault::Away,
            Self::Late => StoreFault::Timeout,
            Self::File(..) | Self::Settings(_) | Self::NoPrimary => StoreFault::Connection,
            Self::NotPrimary => StoreFault::ReadOnly,
            Self::Unreadable => StoreFault::Unreadable,
            Self::TooLarge => StoreFault::TooLarge,
            Self::Seal => StoreFault::Error,
            Self::Failed(error) => fault_of(error),
        }
    }
}

fn fault_of(error: &RedisError) -> StoreFault {
    match (error.kind(), error.code()) {
        (ErrorKind::Parse, _) => StoreFault::Garbage,
        (ErrorKind::UnexpectedReturnType, _) | (_, Some("WRONGTYPE")) => StoreFault::Unreadable,
        (_, Some("OOM")) => StoreFault::Full,
        (_, Some("NOAUTH" | "WRONGPASS" | "NOPERM")) | (ErrorKind::AuthenticationFailed, _) => StoreFault::Denied,
        (ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::Moved), _) => StoreFault::ReadOnly,
        (ErrorKind::Server(ServerErrorKind::BusyLoading), _) => StoreFault::Loading,
        (ErrorKind::Server(_) | ErrorKind::Extension, _) => StoreFault::Error,
        _ if error.is_timeout() => StoreFault::Timeout,
        _ => StoreFault::Connection,
    }
}
