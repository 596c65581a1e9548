//! Bindings in Redis, shared by all proxies that use it.
//!
//! In: bindings. Out: what Redis holds, or an error at the end of a bounded time.
//! How: one task keeps one connection and proves it with a PING; requests use it if it is there and never wait for it.
//! Several failures in a row take the connection away, so a Redis that hangs costs a few bounded requests and then nothing
//! until it answers a PING again.
//! Never here: session ids. What is stored is the digest of one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use outrigger_model::digest::Digest;
use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::Generation;
use outrigger_proxy_core::mcp::facts::Caller;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::{KeyKind, SessionKey};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisResult, Script, ScriptInvocation};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::sealer::Sealer;
use super::store::{Store, StoreError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
const FAILURES_MAX: u32 = 3;

// The form of a value; a later form gets another number, and is unreadable here rather than misread.
const FORM: &str = "3";
const NONE: &str = "-";

/// One key; moves, replica and generation of what is offered, its text, how many milliseconds it is kept, and the mark of the id
/// that the replica knows it by. What does not read as a binding is replaced; a key that holds something else than a text is an error.
const OFFER: &str = r"
local held = redis.call('GET', KEYS[1])
if held then
    local moves, replica, generation, upstream =
        string.match(held, '^3 (%d+) (%S+) (%d+) (%S+) ')
    if moves then
        local further = tonumber(moves) - tonumber(ARGV[1])
        local same_place = replica == ARGV[2] and generation == ARGV[3] and upstream == ARGV[6]
        if further > 0 or (further == 0 and not same_place) then return held end
    end
end
redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
return ARGV[4]
";

pub struct Redis {
    line: Arc<Line>,
    offer: Script,
    prefix: String,
    request_timeout: Duration,
    sealer: Sealer,
    keeper: JoinHandle<()>,
}

/// The connection, while there is one.
struct Line {
    connection: ArcSwapOption<MultiplexedConnection>,
    failures: AtomicU32,
    lost: Notify,
}

impl Redis {
    /// Starts to connect in the background and returns at once, whatever Redis does.
    pub fn start(url: &str, prefix: &str, request_timeout: Duration, sealer: Sealer) -> Result<Self, StoreError> {
        let client = Client::open(url).map_err(StoreError::Url)?;
        let line =
            Arc::new(Line { connection: ArcSwapOption::empty(), failures: AtomicU32::new(0), lost: Notify::new() });
        let keeper = tokio::spawn(keep_connected(client, Arc::clone(&line)));
        Ok(Self { line, offer: Script::new(OFFER), prefix: prefix.to_owned(), request_timeout, sealer, keeper })
    }

    pub fn is_connected(&self) -> bool {
        self.line.connection.load().is_some()
    }

    fn read(&self, name: &str, value: &str) -> Result<Binding, StoreError> {
        self.sealer.open(name, value).and_then(|text| read(&text)).ok_or(StoreError::Unreadable)
    }

    async fn ask<T: FromRedisValue>(&self, request: &Cmd) -> Result<T, StoreError> {
        let mut connection = self.connection()?;
        self.bounded(request.query_async(&mut connection)).await
    }

    async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        let mut connection = self.connection()?;
        self.bounded(script.invoke_async(&mut connection)).await
    }

    fn connection(&self) -> Result<MultiplexedConnection, StoreError> {
        let connection = self.line.connection.load_full().ok_or(StoreError::Away)?;
        Ok(MultiplexedConnection::clone(&connection))
    }

    async fn bounded<T>(&self, asking: impl Future<Output = RedisResult<T>>) -> Result<T, StoreError> {
        match timeout(self.request_timeout, asking).await {
            Ok(Ok(answer)) => {
                self.line.failures.store(0, Ordering::Relaxed);
                Ok(answer)
            }
            Ok(Err(error)) => {
                self.line.failed(error.is_unrecoverable_error());
                Err(StoreError::Failed(error))
            }
            Err(_) => {
                self.line.failed(false);
                Err(StoreError::Late)
            }
        }
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

impl Line {
    fn failed(&self, broken: bool) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if broken || failures >= FAILURES_MAX {
            self.connection.store(None);
            self.lost.notify_one();
        }
    }
}

#[async_trait]
impl Store for Redis {
    async fn get(&self, key: &SessionKey) -> Result<Option<Binding>, StoreError> {
        let name = self.name(key);
        let value: Option<String> = self.ask(redis::cmd("GET").arg(&name)).await?;
        value.map(|text| self.read(&name, &text)).transpose()
    }

    async fn offer(&self, key: &SessionKey, binding: &Binding, kept: Duration) -> Result<Binding, StoreError> {
        let kept_ms = u64::try_from(kept.as_millis()).unwrap_or(u64::MAX).max(1);
        let Binding { replica, generation: Generation(generation), moves, .. } = binding;
        let mut request = self.offer.prepare_invoke();
        let name = self.name(key);
        let value = self.sealer.close(&name, write(binding))?;
        request.key(&name).arg(*moves).arg(replica.as_str()).arg(*generation).arg(value).arg(kept_ms);
        request.arg(mark(&binding.upstream));
        let held: String = self.run(&request).await?;
        self.read(&name, &held)
    }

    async fn forget(&self, key: &SessionKey) -> Result<(), StoreError> {
        self.ask::<i64>(redis::cmd("DEL").arg(self.name(key))).await.map(|_| ())
    }
}

async fn keep_connected(client: Client, line: Arc<Line>) {
    let mut pause = PAUSE_FIRST;
    let mut told = false;
    loop {
        match connect(&client).await {
            Ok(connection) => {
                info!("connected to redis; session bindings are shared");
                line.failures.store(0, Ordering::Relaxed);
                line.connection.store(Some(Arc::new(connection)));
                line.lost.notified().await;
                line.connection.store(None);
                warn!("lost redis; session bindings are kept in memory until it answers again");
                (pause, told) = (PAUSE_FIRST, true);
            }
            Err(error) if !told => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "redis does not answer; session bindings are kept in memory until it does"
                );
                told = true;
            }
            Err(_) => {}
        }
        sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn connect(client: &Client) -> Result<MultiplexedConnection, StoreError> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_TIMEOUT));
    let opening = async {
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        redis::cmd("PING").query_async::<()>(&mut connection).await?;
        Ok(connection)
    };
    timeout(CONNECT_TIMEOUT, opening).await.map_err(|_| StoreError::Late)?.map_err(StoreError::Failed)
}

/// Names hold no blanks; the caller comes last because it may. What decides whether it gives way comes first, for the script.
fn write(binding: &Binding) -> String {
    let Binding { kind, agent, replica, generation: Generation(generation), moves, caller, .. } = binding;
    let Binding { created, last_seen, upstream, opening, .. } = binding;
    let (kind, caller, mark) = (kind.as_str(), caller.as_str(), mark(upstream));
    let (upstream, opening) = (hex_or_none(upstream), hex_or_none(opening));
    let place = format!("{moves} {replica} {generation} {mark}");
    format!("{FORM} {place} {created} {last_seen} {kind} {agent} {upstream} {opening} {caller}")
}

/// Tells two ids of a replica apart, and neither of them: the store can read it.
fn mark(upstream: &Option<Arc<[u8]>>) -> String {
    upstream.as_ref().map_or_else(|| NONE.to_owned(), |id| Digest::of(id).short())
}

fn hex_or_none(bytes: &Option<Arc<[u8]>>) -> String {
    bytes.as_ref().map_or_else(|| NONE.to_owned(), hex::encode)
}

fn read(text: &str) -> Option<Binding> {
    let mut parts = text.splitn(12, ' ');
    if parts.next() != Some(FORM) {
        return None;
    }
    let bytes = |text: &str| match text {
        NONE => Some(None),
        text => hex::decode(text).ok().map(|bytes| Some(Arc::from(bytes))),
    };
    let moves = parts.next()?.parse().ok()?;
    let replica = ReplicaId::new(parts.next()?).ok()?;
    let generation = Generation(parts.next()?.parse().ok()?);
    let marked = parts.next()?;
    let binding = Binding {
        moves,
        replica,
        generation,
        created: parts.next()?.parse().ok()?,
        last_seen: parts.next()?.parse().ok()?,
        kind: KeyKind::parse(parts.next()?)?,
        agent: AgentName::new(parts.next()?).ok()?,
        upstream: bytes(parts.next()?)?,
        opening: bytes(parts.next()?)?,
        caller: Caller::new(parts.next()?),
    };
    (mark(&binding.upstream) == marked).then_some(binding)
}

#[cfg(test)]
mod tests;
