//! What others wrote, told as soon as it is there; and a tick each second, because a notice can be lost.
//!
//! Invariant: never silent for longer than a second, also while the database is away.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::served::WANTED;
use super::write::COMMITTED;

const TICK: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Somebody wrote.
    Committed,
    /// Somebody needs another view.
    Wanted,
    /// A second has passed.
    Tick,
}

#[derive(Debug)]
pub struct Wakes {
    pool: PgPool,
    listener: Option<PgListener>,
    tick: Instant,
}

impl Wakes {
    pub(super) fn new(options: &PgConnectOptions) -> Self {
        let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None).acquire_timeout(TICK);
        Self { pool: pool.connect_lazy_with(options.clone()), listener: None, tick: Instant::now() + TICK }
    }

    /// May be dropped and called again.
    pub async fn next(&mut self) -> Wake {
        loop {
            let Some(listener) = &mut self.listener else {
                match timeout_at(self.tick, listen(&self.pool)).await {
                    Ok(Ok(listener)) => {
                        self.listener = Some(listener);
                        // Something may have been written while nobody listened.
                        return Wake::Committed;
                    }
                    Ok(Err(_)) => sleep_until(self.tick).await,
                    Err(_) => {}
                }
                return self.ticked();
            };
            match timeout_at(self.tick, listener.recv()).await {
                Ok(Ok(notice)) if notice.channel() == WANTED => return Wake::Wanted,
                Ok(Ok(_)) => return Wake::Committed,
                Ok(Err(_)) => self.listener = None,
                Err(_) => return self.ticked(),
            }
        }
    }

    fn ticked(&mut self) -> Wake {
        self.tick = Instant::now() + TICK;
        Wake::Tick
    }
}

async fn listen(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    // Closing the store must not wait for it.
    listener.ignore_pool_close_event(true);
    listener.listen_all([COMMITTED, WANTED]).await?;
    Ok(listener)
}
