//! Keeps one connection and one subscription: dials, proves with a PING, listens, notices the end, dials again.
//!
//! In: a dialer. Out: a line that is open while Redis answers, and news of what others do.
//! Never here: requests of calls.
//! Invariant: it never ends, never busily repeats, and of what Redis may have lost or said unheard it tells once, as `Back`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use outrigger_proxy_core::session::key::SessionKey;
use redis::aio::PubSub;
use redis::{ConnectionAddr, Script, Value};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::dial::{Dialer, Wire};
use super::line::Line;
use super::value;
use super::watch::Watch;
use crate::session::sealer::Sealer;
use crate::session::store::{News, StoreError};

const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// A connection that held for so long was no accident.
const STEADY: Duration = Duration::from_secs(10);
const BEAT: Duration = Duration::from_secs(1);
const BEAT_TIMEOUT: Duration = Duration::from_millis(500);
/// The sentinels are asked at every so many beats.
const BEATS_PER_QUESTION: u32 = 5;

pub(super) struct Keeper {
    pub dialer: Dialer,
    pub line: Arc<Line>,
    pub watch: Arc<Watch>,
    pub channel: String,
    /// The name by which this proxy knows its own news.
    pub teller: String,
    pub prefix: String,
    pub sealer: Sealer,
    pub news: mpsc::Sender<News>,
    /// Known to Redis before a call needs one, so that it needs one round trip only.
    pub scripts: [Script; 3],
}

impl Keeper {
    pub async fn run(self) {
        let mut pause = PAUSE_FIRST;
        loop {
            match self.dialer.connect().await {
                Ok((wire, address)) => {
                    let since = Instant::now();
                    self.teach(wire.clone()).await;
                    let open = self.line.open(wire.clone());
                    self.watch.connected();
                    let (fault, error) = tokio::select! {
                        error = self.beat(wire, address) => (error.fault(), Some(error)),
                        fault = open.ended() => (fault, None),
                        never = self.listen() => never,
                    };
                    self.line.close();
                    self.watch.deaf(None);
                    self.watch.away(fault, error.as_ref());
                    if since.elapsed() >= STEADY {
                        pause = PAUSE_FIRST;
                    }
                }
                Err(error) => self.watch.away(error.fault(), Some(&error)),
            }
            sleep(jittered(pause)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// A script that Redis does not take now is sent again when it is needed.
    async fn teach(&self, mut wire: Wire) {
        for script in &self.scripts {
            let _ = timeout(BEAT_TIMEOUT, script.load_async(&mut wire)).await;
        }
    }

    /// Ends when the node does not answer, or is not the one that should.
    async fn beat(&self, mut wire: Wire, address: Option<ConnectionAddr>) -> StoreError {
        let mut processes = wire.processes().await;
        let mut ticks = interval(BEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for beat in 1_u32.. {
            ticks.tick().await;
            match timeout(BEAT_TIMEOUT, redis::cmd("PING").query_async::<()>(&mut wire)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return StoreError::Failed(error),
                Err(_) => return StoreError::Late,
            }
            match &address {
                Some(address) if beat % BEATS_PER_QUESTION == 0 && self.dialer.has_moved(address).await => break,
                Some(_) => {}
                None => {
                    let seen = wire.processes().await;
                    if seen.is_some() && seen != processes && self.is_back().await {
                        processes = seen;
                    }
                }
            }
        }
        StoreError::NotPrimary
    }

    /// Hears what others do for as long as the connection is there, whatever becomes of single subscriptions.
    async fn listen(&self) -> ! {
        let mut is_told = false;
        loop {
            let error = match self.dialer.listen(&self.channel).await {
                Ok(heard) => {
                    self.watch.listening();
                    is_told = self.is_back().await;
                    self.hear(heard).await
                }
                Err(error) => error,
            };
            self.watch.deaf(Some(&error));
            // Deaf or not, what Redis lost is written to it again.
            is_told = is_told || self.is_back().await;
            sleep(jittered(PAUSE_MAX)).await;
        }
    }

    async fn hear(&self, heard: PubSub) -> StoreError {
        let (mut sink, mut messages) = heard.split();
        let mut ticks = interval(BEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = messages.next() => {
                    let Some(message) = message else { return StoreError::Away };
                    let open = |key: &SessionKey, value| self.sealer.open(&format!("{}{}", self.prefix, key.digest()), value);
                    let news = value::news(message.get_payload_bytes(), &self.teller, open);
                    // Nobody holds copies any more if this fails.
                    if let Some(news) = news && self.news.send(news).await.is_err() {
                        return StoreError::Away;
                    }
                }
                _ = ticks.tick() => match timeout(BEAT_TIMEOUT, sink.ping::<Value>()).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return StoreError::Failed(error),
                    Err(_) => return StoreError::Late,
                },
            }
        }
    }

    /// Tells that Redis is back; false if nobody took the word in time.
    async fn is_back(&self) -> bool {
        timeout(BEAT, self.news.send(News::Back)).await.is_ok()
    }
}

fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}
