//! A configuration that changes while control runs.

use super::*;

const ROUTE: &str = "routes: [{name: forecast, capability: weather}]";

#[tokio::test]
async fn a_route_that_is_declared_reaches_a_watcher_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = soon(Control::start(settings(folder.path(), "store: memory"))).await.unwrap();
    let _proxy = register(&control, "weather-1").await;
    let mut watcher = Watcher::open(&control, "caller-1").await;
    watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "weather"))).await;
    let wanted = settings(folder.path(), &format!("store: memory\n{ROUTE}"));
    let declaration = soon(control.reload(wanted)).await.unwrap();
    assert!(declaration.is_intent_new);
    let burst = watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "forecast"))).await;
    assert!(!burst.bodies.contains(&key(ResourceKind::Route, "weather")), "what did not change does not travel");
    soon(control.stop()).await;
}

#[tokio::test]
async fn what_takes_a_restart_is_named_and_nothing_beside_it_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = soon(Control::start(settings(folder.path(), "store: memory"))).await.unwrap();
    let serial = json(&control, "/v1/snapshots").await["items"][0]["serial"].clone();
    for (key, lines) in [
        ("store", "store: sqlite:other.db"),
        ("lease", "store: memory\nlease: {light_seconds: 2}"),
        ("insecure", "store: memory\ninsecure: true"),
        ("log.format", "store: memory\nlog: {format: json}"),
    ] {
        let wanted = settings(folder.path(), &format!("{lines}\n{ROUTE}"));
        let error = soon(control.reload(wanted)).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("`{key}` changes with a restart only")), "{error}");
    }
    assert_eq!(json(&control, "/v1/snapshots").await["items"][0]["serial"], serial);
    soon(control.stop()).await;
}
