//! Waiting for conditions, each with a deadline and with words for the failure.
//!
//! In: a question that is asked again and again. Out: its answer, or what was last seen instead.
//! Never here: sleeping for a time and hoping.
//! Invariant: whatever is waited for ends.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Long enough for a loaded machine with two cores; nothing that works comes near it.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Between two questions. Short, because a test waits this long too much on average.
const PAUSE: Duration = Duration::from_millis(15);

/// Asks until there is an answer; an error of the question is what the failure tells.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    within(DEADLINE, what, async || ask().await).await
}

pub async fn within<T>(limit: Duration, what: &str, mut ask: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    loop {
        match tokio::time::timeout(limit, ask()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(seen)) if begun.elapsed() >= limit => bail!("{what}: not within {limit:?}; last seen: {seen:#}"),
            Ok(Err(_)) => tokio::time::sleep(PAUSE).await,
            Err(_) => bail!("{what}: no answer within {limit:?}"),
        }
    }
}
