//! Memory of sessions that are open and say nothing: in the proxy that opened them, and in Redis.
//!
//! In: how many. Out: a row.
//! Invariant: the proxy is compared with itself after as many requests without sessions, since requests alone make a process
//! grow; what those left free is used first, so its figure is a lower bound.

use std::time::Duration;

use crate::echo::Era;
use crate::generate::book::Book;
use crate::generate::{Crew, Dress, idle, saturate};
use crate::machine::about::{About, first_line};
use crate::machine::process::resident_kib;
use crate::outages::OutageError;
use crate::outages::mesh::{Mesh, OWN, Plan};
use crate::peers::Place;
use crate::row::Row;
use crate::stage::redis::Redis;

/// Allocators give back, timers fire, buffers shrink: what is measured is a process at rest.
const REST: Duration = Duration::from_secs(2);
/// What the targets allow for a session in the proxy.
const BYTES_MAX: f64 = 300.0;

pub async fn measure(place: &Place, sessions: u64, tell: &dyn Fn(String)) -> Result<Row, OutageError> {
    let version = first_line(&place.outrigger.display().to_string(), &["--version"], None);
    let says = format!("{sessions} open sessions in a calling proxy and in its Redis");
    let mut row = Row::new(About::now(0, vec![version]), "sessions kept", says);
    let folder = tempfile::tempdir()?;
    let redis = Redis::start(place, folder.path()).await?;
    let plan = Plan { redis_url: Some(redis.url()), ..Plan::default() };
    let mesh = Mesh::start(place, &plan).await?;
    let pid = mesh.caller.part.pid()?;

    let crew = Crew::hire(&mesh.target(OWN), &Dress::plain(Era::Legacy), idle::OPENERS).await?;
    let book = Book::new(sessions.saturating_mul(idle::REQUESTS_OF_A_SESSION));
    let (crew, _) = saturate::run(crew, &book).await?;
    tokio::time::sleep(REST).await;
    let (rss, used, keys) = (resident_kib(pid)?, redis.used_bytes().await?, redis.keys().await?);
    tell(format!("before: {rss} KiB in the proxy, {used} bytes and {keys} keys in Redis"));
    let open = idle::sessions(crew, sessions).await?;
    tokio::time::sleep(REST).await;
    let (rss_after, used_after, keys_after) = (resident_kib(pid)?, redis.used_bytes().await?, redis.keys().await?);
    tell(format!("after: {rss_after} KiB in the proxy, {used_after} bytes and {keys_after} keys in Redis"));

    let each = |bytes: u64| bytes as f64 / sessions.max(1) as f64;
    row.at_most("proxy, per session", each(rss_after.saturating_sub(rss) * 1_024), "bytes", BYTES_MAX);
    row.figure("Redis, per session", each(used_after.saturating_sub(used)), "bytes");
    row.figure("keys in Redis, per session", each(keys_after.saturating_sub(keys)), "");
    row.figure("of it one binding, by MEMORY USAGE", redis.bytes_of_any().await? as f64, "bytes");
    row.note("the proxy's figure is a lower bound: what requests before left free is used first");
    drop(open);
    row.about.finish();
    Ok(row)
}
