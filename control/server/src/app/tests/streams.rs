//! What protects control from its watchers, over real ports.

use super::mesh::{channel, settings, soon};
use super::*;

async fn start(yaml: &str, streams: impl FnOnce(&mut crate::config::streams::StreamLimits)) -> Running {
    let mut settings = settings(std::path::Path::new("/"), yaml);
    streams(&mut settings.streams);
    soon(Control::start(settings)).await.unwrap()
}

#[tokio::test]
async fn an_old_stream_ends_cleanly_and_its_client_goes_on_without_a_resend() {
    let control = start("store: memory", |limits| limits.age = Duration::from_millis(300)).await;
    let mut watcher = Watcher::open(&control, "caller-1").await;
    let first = watcher.burst().await;
    // As long as an answer waits for its client, the stream is not ended.
    watcher.answer(MANIFEST_TYPE_URL, &first.nonce, None).await;
    assert!(matches!(watcher.end().await, Ok(None)), "it ends, and without an error");
    let held = watcher.tokens.clone();
    let mut again = Watcher::connect(channel(&control, None), "caller-1", &[], held).await;
    let burst = again.burst().await;
    assert_eq!((burst.bodies.len(), burst.removed.len()), (0, 0), "{burst:?}");
    let metrics = get(&control, "/metrics", "127.0.0.1").await.2;
    assert!(metrics.contains("outrigger_discovery_ended_total{reason=\"age\"} 1"), "{metrics}");
    soon(control.stop()).await;
}

#[tokio::test]
async fn streams_that_come_too_fast_are_told_when_to_come_again() {
    let control = start("store: memory", |limits| limits.new_per_core = 1).await;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut client = AggregatedDiscoveryServiceClient::new(channel(&control, None));
    let mut refused = None;
    for _ in 0..=cores + 1 {
        let asked = soon(client.delta_aggregated_resources(tokio_stream::pending())).await;
        refused = refused.or(asked.err());
    }
    let refused = refused.expect("more than a second's worth were taken at once");
    assert_eq!(refused.code(), Code::Unavailable);
    let hint = refused.metadata().get("grpc-retry-pushback-ms").unwrap().to_str().unwrap();
    assert!(hint.parse::<u64>().unwrap() > 0);
    let metrics = get(&control, "/metrics", "127.0.0.1").await.2;
    assert!(metrics.contains("outrigger_discovery_ended_total{reason=\"rate\"}"), "{metrics}");
    soon(control.stop()).await;
}

#[tokio::test]
async fn of_large_snapshots_only_so_much_is_under_way_and_everybody_gets_theirs() {
    let control = start("store: memory", |limits| (limits.large_from, limits.large_bytes) = (1, 1_024)).await;
    let _proxy = register(&control, "weather-1").await;
    // The first takes the room and does not answer; the second waits for it.
    let mut slow = Watcher::open(&control, "slow").await;
    let unanswered = slow.next().await;
    let mut other = Watcher::open(&control, "other").await;
    let waits = tokio::time::timeout(Duration::from_millis(300), other.next()).await;
    assert!(waits.is_err(), "there was room for two: {waits:?}");
    slow.answer(&unanswered.type_url, &unanswered.nonce, None).await;
    let (one, two) = (slow.apply_until(|held| !held.is_empty()), other.apply_until(|held| !held.is_empty()));
    tokio::join!(one, two);
    soon(control.stop()).await;
}
