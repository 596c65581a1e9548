//! Bindings in Redis, shared by all proxies that use it, and what they have used of quotas.
//!
//! In: bindings. Out: what Redis holds, or an error at the end of a bounded time; news of what other proxies did.
//! How: one task keeps one connection and proves it with a PING; requests use it if it is there and never wait for it. A write is
//! one script, so it decides, writes and tells the others in one round trip.
//! Never here: session ids. What is stored is the digest of one.
//! Invariant: nothing that lies under a key, and nothing that Redis answers, is more than a miss.

pub mod value;
mod dial;
mod line;
mod watch;
mod keep;
mod quota;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use outrigger_model::replica::Generation;
use outrigger_proxy_core::limit::ledger::Asking;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::SessionKey;
use redis::{RedisResult, Script};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::dial::{Dialer, Wire};
use self::keep::Keeper;
use self::line::Line;
use self::value::VALUE_BYTES_MAX;
use self::watch::Watch;
use super::sealer::Sealer;
use super::store::{News, Store, StoreError};
use crate::config::redis::Redis as Settings;
use crate::lifecycle::Readiness;
use crate::telemetry::Events;

/// News that wait for who holds copies; then Redis waits, and in the end tells no more, which is noticed.
const NEWS_WAITING_MAX: usize = 1_024;
/// No binding is kept longer, and Redis takes no number of milliseconds much above this.
const KEPT_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

/// In: moves, replica, generation and last use of what is offered, its value, how many milliseconds it is kept, most bytes of a
/// value, the channel, what stands before a value that is told there, and the mark of the id that the replica knows the session by.
/// Out: what is held, or nil if the offer was taken. What does not read as a binding is replaced. It is told only when it moved: nobody has a copy of what begins.
const OFFER: &str = r"
local held = redis.pcall('GETRANGE', KEYS[1], 0, ARGV[7])
local renewal = false
if type(held) == 'string' and #held <= tonumber(ARGV[7]) then
    local moves, replica, generation, upstream, seen = string.match(held, '^3 (%d+) (%S+) (%d+) (%S+) (%d+) ')
    if moves then
        local further = tonumber(moves) - tonumber(ARGV[1])
        local same_place = replica == ARGV[2] and generation == ARGV[3] and upstream == ARGV[10]
        if further > 0 or (further == 0 and not same_place) then return held end
        renewal = further == 0
        local later = tonumber(seen) - tonumber(ARGV[4])
        if renewal and (later > 0 or (later == 0 and redis.call('PTTL', KEYS[1]) > tonumber(ARGV[6]))) then
            return held
        end
    end
end
redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[6])
if not renewal and tonumber(ARGV[1]) > 0 then redis.pcall('PUBLISH', ARGV[8], ARGV[9] .. ARGV[5]) end
return false
";

/// In: moves, the channel, and what is told there.
const FORGET: &str = r"
local held = redis.pcall('GETRANGE', KEYS[1], 0, 32)
if type(held) == 'string' then
    local moves = string.match(held, '^3 (%d+) ')
    if moves and tonumber(moves) > tonumber(ARGV[1]) then return 0 end
end
if redis.call('DEL', KEYS[1]) == 1 then redis.pcall('PUBLISH', ARGV[2], ARGV[3]) end
return 1
";

pub struct Redis {
    line: Arc<Line>,
    watch: Arc<Watch>,
    offer: Script,
    forget: Script,
    quota: Script,
    prefix: String,
    channel: String,
    teller: String,
    request_timeout: Duration,
    sealer: Sealer,
    news: Mutex<Option<mpsc::Receiver<News>>>,
    keeper: JoinHandle<()>,
}

impl Redis {
    /// Starts to connect in the background and returns at once, whatever Redis does. Must be called inside a tokio runtime.
    pub fn start(
        settings: &Settings,
        prefix: &str,
        request_timeout: Duration,
        sealer: Sealer,
        events: &Arc<Events>,
        readiness: &Readiness,
    ) -> Result<Self, StoreError> {
        let dialer = Dialer::new(settings, request_timeout)?;
        let line = Arc::new(Line::default());
        let watch = Arc::new(Watch::new(Arc::clone(events), readiness.clone()));
        let (channel, teller) = (format!("{prefix}!moved"), format!("{:016x}", fastrand::u64(..)));
        let (told, news) = mpsc::channel(NEWS_WAITING_MAX);
        let (offer, forget, quota) = (Script::new(OFFER), Script::new(FORGET), Script::new(quota::TAKE));
        let keeper = Keeper {
            dialer,
            line: Arc::clone(&line),
            watch: Arc::clone(&watch),
            channel: channel.clone(),
            teller: teller.clone(),
            prefix: prefix.to_owned(),
            sealer: sealer.clone(),
            news: told,
            scripts: [offer.clone(), forget.clone(), quota.clone()],
        };
        Ok(Self {
            line,
            watch,
            offer,
            forget,
            quota,
            prefix: prefix.to_owned(),
            channel,
            teller,
            request_timeout,
            sealer,
            news: Mutex::new(Some(news)),
            keeper: tokio::spawn(keeper.run()),
        })
    }

    pub fn is_connected(&self) -> bool {
        self.line.current().is_some()
    }

    /// Takes a share of a quota, perhaps nothing of what is wanted. `unix_ms` is now.
    pub async fn take(&self, asking: &Asking, unix_ms: u64) -> Result<u32, StoreError> {
        let request = quota::request(&self.quota, &self.prefix, asking, unix_ms);
        self.ask(async |mut wire| request.invoke_async::<u32>(&mut wire).await).await
    }

    /// One request, at once or not at all, for a bounded time.
    async fn ask<T>(&self, asking: impl AsyncFnOnce(Wire) -> RedisResult<T>) -> Result<T, StoreError> {
        let open = self.line.current().ok_or(StoreError::Away)?;
        let result = match timeout(self.request_timeout, asking(open.wire())).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(StoreError::Failed(error)),
            Err(_) => Err(StoreError::Late),
        };
        match &result {
            Ok(_) => open.answered(),
            Err(error) => {
                if open.failed(error.fault()) {
                    self.line.close();
                }
            }
        }
        result
    }

    fn read(&self, name: &str, value: &[u8]) -> Result<Binding, StoreError> {
        self.sealer.open(name, value).and_then(|value| value::read(&value)).ok_or(StoreError::Unreadable)
    }

    fn name(&self, key: &SessionKey) -> String {
        format!("{}{}", self.prefix, key.digest())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

#[async_trait]
impl Store for Redis {
    async fn get(&self, key: &SessionKey) -> Result<Option<Binding>, StoreError> {
        // Not GET: what lies there may be of any size.
        let mut request = redis::cmd("GETRANGE");
        let name = self.name(key);
        request.arg(&name).arg(0).arg(VALUE_BYTES_MAX);
        let value: Vec<u8> = self.ask(async |mut wire| request.query_async(&mut wire).await).await?;
        if value.is_empty() {
            return Ok(None);
        }
        self.read(&name, &value).map(Some)
    }

    async fn offer(&self, key: &SessionKey, binding: &Binding, kept: Duration) -> Result<Binding, StoreError> {
        let name = self.name(key);
        let value = self.sealer.close(&name, value::write(binding))?;
        if value.len() > VALUE_BYTES_MAX {
            return Err(StoreError::TooLarge);
        }
        let kept = kept.clamp(Duration::from_millis(1), KEPT_MAX);
        let Binding { replica, generation: Generation(generation), moves, last_seen, .. } = binding;
        let mut request = self.offer.prepare_invoke();
        request.key(&name).arg(*moves).arg(replica.as_str()).arg(*generation).arg(*last_seen).arg(value);
        request.arg(kept.as_millis() as u64).arg(VALUE_BYTES_MAX);
        request.arg(&self.channel).arg(value::moved(&self.teller, key, kept));
        request.arg(value::mark(binding));
        let asked = self.ask(async |mut wire| request.invoke_async::<Option<Vec<u8>>>(&mut wire).await).await;
        self.watch.written(asked.as_ref().err().map(StoreError::fault));
        match asked? {
            None => Ok(binding.clone()),
            Some(held) => self.read(&name, &held),
        }
    }

    async fn forget(&self, key: &SessionKey, moves: u32) -> Result<(), StoreError> {
        let mut request = self.forget.prepare_invoke();
        request.key(self.name(key)).arg(moves).arg(&self.channel);
        request.arg(value::forgotten(&self.teller, key, moves));
        self.ask(async |mut wire| request.invoke_async::<i64>(&mut wire).await).await.map(drop)
    }

    fn news(&self) -> Option<mpsc::Receiver<News>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests;
