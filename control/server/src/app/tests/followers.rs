//! What only the control that leads does, as it is seen at one that follows.

use outrigger_wire::proto::discovery::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use outrigger_wire::proto::discovery::{DeltaDiscoveryRequest, Node as WireNode};
use outrigger_wire::watcher::Watcher as Node;

use super::mesh::{channel, get, json, key, register, replica, soon, until};
use super::replicas::{leads, start};
use super::rollouts::{CANARY, CURRENT, by_hand, forecast, moved};
use super::upstream::{beat, greets, heartbeat, light, light_until, send};
use super::*;
use crate::store::tests::cluster;

#[tokio::test]
async fn a_rollout_is_moved_by_the_leader_shown_by_all_and_goes_on_under_the_next_leader() {
    let url = cluster::url();
    let (leader, follower) = (start(&url).await, start(&url).await);
    leads(&leader).await;
    let _agent = register(&leader, "weather-1").await;
    let mut tries = Watcher::labelled(&leader, "caller-0", CANARY, Tokens::new()).await;
    tries.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "weather"))).await;
    let mut canary = Watcher::labelled(&follower, "caller-1", CANARY, Tokens::new()).await;
    canary.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "weather"))).await;

    let (status, problem) = rollouts::start(&follower, 1, serde_json::json!({"manual": true})).await;
    assert_eq!((status, &problem["title"]), (503, &"another control leads".into()), "{problem}");
    let rollout = by_hand(&leader).await;
    until("the follower shows it", async || get(&follower, CURRENT, "127.0.0.1").await.0 == 200).await;
    let shown = json(&follower, CURRENT).await;
    assert_eq!(shown["phase"], "running");
    assert_eq!((&shown["serial"], &shown["labels"]), (&rollout["serial"], &rollout["labels"]));
    for how in ["widen", "abort", "promote"] {
        let (status, problem) = moved(&follower, how).await;
        assert_eq!((status, &problem["title"]), (503, &"another control leads".into()), "{how}: {problem}");
    }
    tries.apply_until(|held| held.contains_key(&forecast())).await;
    let _news = register(&leader, "news-1").await;
    canary.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "news"))).await;
    assert!(!canary.tokens.contains_key(&forecast()), "a follower serves the main lane");

    drop(tries);
    soon(leader.stop()).await;
    leads(&follower).await;
    // On the same stream.
    canary.apply_until(|held| held.contains_key(&forecast())).await;
    let (status, promoted) = moved(&follower, "promote").await;
    assert_eq!((status, &promoted["phase"]), (200, &"promoted".into()), "{promoted}");
    let mut late = Watcher::open(&follower, "caller-2").await;
    late.apply_until(|held| held.contains_key(&forecast())).await;
    soon(follower.stop()).await;
}

#[tokio::test]
async fn an_agent_without_a_proxy_registers_with_the_leader_and_is_not_sent_away_by_a_follower() {
    let url = cluster::url();
    let (leader, follower) = (start(&url).await, start(&url).await);
    leads(&leader).await;
    let body = heartbeat("prov-1", 19_101, greets());
    let (status, refused) = beat(&follower, &body).await;
    let error = refused["error"].as_str().unwrap_or_default();
    assert!(status == 503 && error.contains("leader.example:17010 leads"), "{status} {refused}");
    assert_eq!(beat(&leader, &body).await.1["status"], "success");
    light_until(&follower, "prov-1", 200).await;
    assert_eq!(light(&follower, "nobody-1").await, 410);
    assert_eq!(send(&follower, "DELETE", "/agents/prov-1", "").await.0, 503);
    let service = r#"{"service_id": "s-1", "service_name": "s", "endpoint": "http://127.0.0.1:19102/mcp"}"#;
    assert_eq!(send(&follower, "POST", "/api/v1/mesh/v2/register", service).await.0, 503);
    assert_eq!(light(&leader, "prov-1").await, 200, "it is still there");
    assert_eq!(send(&leader, "DELETE", "/agents/prov-1", "").await.0, 204);
    light_until(&follower, "prov-1", 410).await;
    soon(follower.stop()).await;
    soon(leader.stop()).await;
}

#[tokio::test]
async fn a_view_of_a_namespace_is_made_by_the_leader_for_watchers_of_a_follower() {
    let url = cluster::url();
    let (leader, follower) = (start(&url).await, start(&url).await);
    leads(&leader).await;
    let of = |needs: &[&str]| Node { namespace: "team-a".parse().unwrap(), ..Watcher::node("caller-1", needs) };
    let mut base = Watcher::of(of(&[]), channel(&follower, None), Tokens::new()).await;
    let mut needs = Watcher::of(of(&["forecast=weather"]), channel(&follower, None), Tokens::new()).await;
    let mut proxy = Proxy::connect(channel(&leader, None), "weather-1").await.unwrap();
    let agent = outrigger_wire::proto::registry::Replica { namespace: "team-a".to_owned(), ..replica("weather-1") };
    assert_eq!(proxy.report(vec![agent]).await, []);
    base.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "weather"))).await;
    needs.apply_until(|held| held.contains_key(&forecast())).await;
    soon(follower.stop()).await;
    soon(leader.stop()).await;
}

#[tokio::test]
async fn stock_clients_are_served_by_the_leader_only() {
    let url = cluster::url();
    let (leader, follower) = (start(&url).await, start(&url).await);
    leads(&leader).await;
    let first = async |control: &Running| {
        let node = WireNode { id: "gate-1".to_owned(), user_agent_name: "envoy".to_owned(), ..WireNode::default() };
        let type_url = "type.googleapis.com/envoy.config.cluster.v3.Cluster".to_owned();
        let request = DeltaDiscoveryRequest { node: Some(node), type_url, ..DeltaDiscoveryRequest::default() };
        let requests = tokio_stream::StreamExt::chain(tokio_stream::once(request), tokio_stream::pending());
        let mut client = AggregatedDiscoveryServiceClient::new(channel(control, None));
        let mut answers = client.delta_aggregated_resources(requests).await.unwrap().into_inner();
        (soon(answers.message()).await, answers)
    };
    let refused = first(&follower).await.0.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("leader.example:17010 leads"), "{refused}");
    assert!(first(&leader).await.0.unwrap().is_some());
    soon(follower.stop()).await;
    soon(leader.stop()).await;
}
