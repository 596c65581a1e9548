//! Quotas over a real Redis.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use outrigger_model::rate::{Allowance, Per, RateLimit};
use outrigger_proxy_core::limit::meter::{Scope, Who};
use outrigger_proxy_core::limit::subject::Subject;

use super::Rates;
use crate::session::real::{Server, Told, becomes, connected, store_at, with_user};
use crate::telemetry::{Events, Metrics};

/// So long that no test sees the next window.
const HOURS: Duration = Duration::from_secs(1_000 * 3_600);

fn quota(calls: u32) -> RateLimit {
    RateLimit { per: Per::All, tools: vec![], allowance: Allowance::Quota { calls, window: HOURS } }
}

async fn sharing(keys: &str) -> (Rates, Metrics) {
    let redis = connected(keys, Path::new("")).await;
    let metrics = Metrics::default();
    (Rates::new(Some(Arc::new(redis)), Arc::new(Events::new(metrics.clone()))), metrics)
}

async fn is_let_in(rates: &Rates, rate: &RateLimit) -> bool {
    let who = Who { caller: "planner", agent: "weather", tool: "" };
    let took = rates.take(Scope::Route("weather"), std::slice::from_ref(rate), who, &Subject::Plain).await;
    took.is_ok()
}

async fn let_in(rates: &Rates, rate: &RateLimit, times: u32) -> u32 {
    let mut count = 0;
    for _ in 0..times {
        count += u32::from(is_let_in(rates, rate).await);
    }
    count
}

#[tokio::test]
async fn two_proxies_with_one_redis_give_exactly_a_small_quota_together() {
    let server = Server::start();
    let keys = format!("redis_url: '{}'", server.url());
    let ((first, _), (second, _)) = (sharing(&keys).await, sharing(&keys).await);
    let rate = quota(40);
    let together = tokio::join!(let_in(&first, &rate, 100), let_in(&second, &rate, 100));
    assert_eq!(together.0 + together.1, 40, "{together:?}");
}

/// The longest that is lost of a large one: what the others have not used of their last share.
#[tokio::test]
async fn a_large_quota_is_asked_for_in_shares_and_never_passed() {
    let server = Server::start();
    let keys = format!("redis_url: '{}'", server.url());
    let ((first, _), (second, _)) = (sharing(&keys).await, sharing(&keys).await);
    let rate = quota(640);
    assert_eq!(let_in(&first, &rate, 1).await, 1);
    let asked = |server: &Server| {
        let info: String = server.ask("INFO commandstats");
        let line = info.lines().find(|line| line.starts_with("cmdstat_evalsha")).expect("a script ran").to_owned();
        line.split("calls=").nth(1).and_then(|rest| rest.split(',').next()?.parse::<u32>().ok()).expect("a count")
    };
    let before = asked(&server);
    assert_eq!(let_in(&second, &rate, 1_000).await, 630, "the first holds a share of ten");
    assert!(asked(&server) - before <= 65, "hardly any call asks");
    assert_eq!(let_in(&first, &rate, 100).await, 9, "and gives it to its own");
}

#[tokio::test]
async fn without_redis_a_proxy_counts_alone_and_never_gives_more_than_the_quota() {
    let mut server = Server::start();
    let keys = format!("redis_url: '{}'", server.url());
    let (rates, metrics) = sharing(&keys).await;
    let rate = quota(20);
    assert_eq!(let_in(&rates, &rate, 5).await, 5);
    server.kill();
    assert_eq!(let_in(&rates, &rate, 100).await, 15);
    assert!(metrics.quotas_counted_alone.get() >= 15);
}

#[tokio::test]
async fn what_lies_under_the_key_and_is_no_number_refuses_nobody() {
    let server = Server::start();
    let keys = format!("redis_url: '{}'", server.url());
    let (rates, _) = sharing(&keys).await;
    let rate = quota(10);
    assert!(is_let_in(&rates, &rate).await);
    let name: Vec<String> = server.ask("KEYS session:quota:*");
    let name = name.first().expect("a key");
    server.ask::<()>(&format!("SET {name} rubbish"));
    assert!(is_let_in(&rates, &rate).await);
    server.ask::<()>(&format!("DEL {name}"));
    server.ask::<()>(&format!("RPUSH {name} a"));
    assert!(is_let_in(&rates, &rate).await);
}

#[tokio::test]
async fn a_user_with_the_rights_that_bindings_need_is_enough() {
    let server = with_user();
    let (rates, metrics) =
        sharing(&format!("redis: {{urls: ['{}'], username: desk, password: hunter2}}", server.url())).await;
    assert_eq!(let_in(&rates, &quota(3), 9).await, 3);
    assert_eq!(metrics.quotas_counted_alone.get(), 0);
}

#[tokio::test]
async fn a_redis_that_comes_back_is_used_again() {
    let mut server = Server::start();
    let keys = format!("redis_url: '{}'", server.url());
    let Told { redis, .. } = store_at(&keys, Path::new(""));
    let redis = Arc::new(redis);
    let metrics = Metrics::default();
    let rates = Rates::new(Some(Arc::clone(&redis)), Arc::new(Events::new(metrics.clone())));
    becomes("connected", || redis.is_connected()).await;
    server.kill();
    assert!(is_let_in(&rates, &quota(50)).await);
    server.start_again();
    becomes("connected again", || redis.is_connected()).await;
    let alone = metrics.quotas_counted_alone.get();
    assert!(is_let_in(&rates, &quota(60)).await);
    assert_eq!(metrics.quotas_counted_alone.get(), alone);
    let keys: Vec<String> = server.ask("KEYS session:quota:*");
    assert_eq!(keys.len(), 1);
}
