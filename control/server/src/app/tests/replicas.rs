//! Several controls on one database: what their watchers, proxies and operators see.

use outrigger_wire::report::LEADER;
use outrigger_wire::watcher::Role;

use super::mesh::{channel, get, json, json_until, key, post, register, settings, soon};
use super::*;
use crate::store::tests::cluster::{self, Cluster};

pub async fn start(url: &str) -> Running {
    let yaml = format!("store: {url}\nadvertise: leader.example:17010\n");
    soon(Control::start(settings(std::path::Path::new("/"), &yaml))).await.unwrap()
}

pub async fn leads(control: &Running) {
    json_until(control, "/v1/leader", |leader| leader["role"] == "leader").await;
}

fn has_weather(held: &Tokens) -> bool {
    held.contains_key(&key(ResourceKind::Route, "weather"))
}

/// What a watcher without anything is sent.
async fn tokens(control: &Running, needs: &[&str]) -> Tokens {
    let mut watcher = Watcher::connect(channel(control, None), "observer-x", needs, Tokens::new()).await;
    watcher.burst().await;
    watcher.tokens
}

#[tokio::test]
async fn followers_serve_what_the_leader_serves_token_for_token() {
    let url = cluster::url();
    let (leader, follower, other) = (start(&url).await, start(&url).await, start(&url).await);
    leads(&leader).await;
    let mut watcher = Watcher::open(&follower, "caller-1").await;
    let _proxy = register(&leader, "weather-1").await;
    watcher.apply_until(has_weather).await;
    for needs in [&[][..], &["forecast=weather ^1.0"], &["forecast=weather ^1.0", "clock"]] {
        let made = tokens(&leader, needs).await;
        assert!(has_weather(&made));
        for control in [&follower, &other] {
            // The second may hear of it a moment later.
            let same = async { while tokens(control, needs).await != made {} };
            assert!(tokio::time::timeout(Duration::from_secs(10), same).await.is_ok(), "{needs:?}");
        }
    }
    let agents = json_until(&other, "/v1/agents", |agents| agents["items"][0]["name"] == "weather").await;
    assert_eq!(agents["items"][0]["replicas"][0]["state"], "healthy", "operators are told what the leader knows");
    let told = json(&follower, "/v1/leader").await;
    assert_eq!((&told["role"], &told["leader"]), (&"follower".into(), &"leader.example:17010".into()));
    let metrics = get(&leader, "/metrics", "127.0.0.1").await.2;
    assert!(metrics.contains("outrigger_leading 1") && metrics.contains("outrigger_term 1"), "{metrics}");
    assert!(get(&other, "/metrics", "127.0.0.1").await.2.contains("outrigger_leading 0"));
    for control in [other, follower, leader] {
        soon(control.stop()).await;
    }
}

#[tokio::test]
async fn a_view_that_only_watchers_of_a_follower_need_is_made_by_the_leader_and_kept_up() {
    let url = cluster::url();
    let (leader, follower) = (start(&url).await, start(&url).await);
    let mut watcher =
        Watcher::connect(channel(&follower, None), "caller-1", &["forecast=weather"], Tokens::new()).await;
    watcher.burst().await;
    watcher.answer(MANIFEST_TYPE_URL, "", None).await;
    let mut watcher =
        Watcher::connect(channel(&follower, None), "caller-2", &["forecast=weather"], Tokens::new()).await;
    let _proxy = register(&leader, "weather-1").await;
    watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "forecast"))).await;
    soon(follower.stop()).await;
    soon(leader.stop()).await;
}

#[tokio::test]
async fn what_changes_something_is_refused_by_a_follower_which_says_who_leads() {
    let url = cluster::url();
    let (leader, follower) = (start(&url).await, start(&url).await);
    let refused = Proxy::connect(channel(&follower, None), "weather-1").await.err().unwrap();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(refused.metadata().get(LEADER).unwrap(), "leader.example:17010");
    assert!(refused.message().contains("leader.example:17010 leads"), "{refused}");
    let (status, problem) = post(&follower, "/v1/sessions/revoke", r#"{"agent": "weather"}"#).await;
    assert_eq!((status, &problem["title"]), (503, &"another control leads".into()));
    let (status, _) = mesh::press(&follower, "/v1/session-keys", "").await;
    assert_eq!(status, 503);
    assert_eq!(mesh::press(&leader, "/v1/session-keys", "").await.0, 201);
    soon(follower.stop()).await;
    soon(leader.stop()).await;
}

#[tokio::test]
async fn when_the_leader_ends_another_leads_within_five_seconds_and_no_watch_of_its_own_breaks() {
    let url = cluster::url();
    let (leader, follower) = (start(&url).await, start(&url).await);
    let proxy = register(&leader, "weather-1").await;
    let mut watcher = Watcher::open(&follower, "caller-1").await;
    watcher.apply_until(has_weather).await;
    let before = watcher.tokens.clone();

    let began = Instant::now();
    drop(proxy);
    soon(leader.stop()).await;
    leads(&follower).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // The same stream goes on, with what the new leader publishes.
    let _other = register(&follower, "news-1").await;
    watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "news"))).await;
    let unchanged = key(ResourceKind::Route, "weather");
    assert_eq!(watcher.tokens[&unchanged], before[&unchanged], "what did not change keeps its token");
    let agents = json(&follower, "/v1/agents").await;
    let state = agents["items"].as_array().unwrap().iter().find(|agent| agent["name"] == "weather").unwrap();
    assert_eq!(state["replicas"][0]["state"], "healthy", "no lease ended because of it");
    soon(follower.stop()).await;
}

#[tokio::test]
async fn a_leader_moves_above_a_watcher_that_runs_a_snapshot_no_store_has_and_a_follower_refuses_it() {
    let url = cluster::url();
    let (leader, follower) = (start(&url).await, start(&url).await);
    let _proxy = register(&leader, "weather-1").await;
    let mut watcher = Watcher::open(&leader, "caller-1").await;
    let burst = watcher.apply_until(has_weather).await;
    let newest: outrigger_model::resource::Token = burst.version.parse().unwrap();
    let lost = outrigger_model::resource::Token {
        serial: outrigger_model::resource::Serial(newest.serial.0 + 40),
        hash: [7; 6],
        ..newest
    };
    let began = Instant::now();
    let mut behind = Watcher::running(channel(&follower, None), "caller-2", lost).await;
    let status = soon(behind.refusal()).await;
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("try another"), "{status}");
    assert!(began.elapsed() >= Duration::from_secs(5), "it waits for the leader first");

    let mut moved = Watcher::running(channel(&leader, None), "caller-2", lost).await;
    let burst = moved.burst().await;
    let above: outrigger_model::resource::Token = burst.version.parse().unwrap();
    assert!(above.serial > lost.serial && above.hash == newest.hash, "{above}: the same content, later than {lost}");
    // And what was too far ahead for a follower is served there now.
    let mut caught_up = Watcher::running(channel(&follower, None), "caller-3", lost).await;
    assert_eq!(caught_up.burst().await.version, burst.version);
    let far = outrigger_model::resource::Token { serial: outrigger_model::resource::Serial(u64::MAX), ..lost };
    let status = soon(Watcher::running(channel(&leader, None), "caller-4", far).await.refusal()).await;
    assert_eq!(status.code(), Code::InvalidArgument);
    soon(follower.stop()).await;
    soon(leader.stop()).await;
}

#[tokio::test]
async fn without_the_database_all_serve_on_and_what_was_taken_meanwhile_is_stored_afterwards() {
    let mut database = tokio::task::spawn_blocking(Cluster::start).await.unwrap();
    let url = database.url();
    let (leader, follower) = (start(&url).await, start(&url).await);
    let _first = register(&leader, "weather-1").await;
    let mut at_follower = Watcher::open(&follower, "caller-1").await;
    at_follower.apply_until(has_weather).await;

    database.tell("kill");
    let mut at_leader = Watcher::open(&leader, "caller-2").await;
    let _second = register(&leader, "news-1").await;
    let has_news = |held: &Tokens| held.contains_key(&key(ResourceKind::Route, "news"));
    at_leader.apply_until(has_news).await;
    json_until(&leader, "/v1/leader", |leader| leader["storing"] == false).await;
    assert_eq!(mesh::press(&leader, "/v1/session-keys", "").await.0, 503, "what must not be lost is refused");
    assert!(has_weather(&tokens(&follower, &[]).await), "a follower serves what it has");

    database.tell("start");
    at_follower.apply_until(has_news).await;
    json_until(&leader, "/v1/leader", |leader| leader["storing"] == true).await;
    assert_eq!(json(&leader, "/v1/leader").await["role"], "leader", "it came back first");
    soon(follower.stop()).await;
    soon(leader.stop()).await;
}

#[tokio::test]
async fn observers_of_a_follower_get_no_keys() {
    let url = cluster::url();
    let (leader, follower) = (start(&url).await, start(&url).await);
    let mut proxy = Watcher::open(&follower, "caller-1").await;
    proxy.burst().await;
    assert!(!proxy.keyring.is_empty());
    let mut observer =
        Watcher::connect_as(Role::Observer, channel(&follower, None), "looker", &[], Tokens::new()).await;
    observer.burst().await;
    assert!(observer.keyring.is_empty());
    soon(follower.stop()).await;
    soon(leader.stop()).await;
}
