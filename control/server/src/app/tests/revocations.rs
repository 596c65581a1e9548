//! Sessions that operators end, from the request to the watcher.

use outrigger_model::resource::ResourceKind;
use outrigger_wire::kind::{MANIFEST_TYPE_URL, SELF};

use super::mesh::{Watcher, control, json, json_until, key, post, settings, soon};
use crate::app::Control;

const REVOKE: &str = "/v1/sessions/revoke";
const LIST: &str = "/v1/sessions/revocations";

#[tokio::test]
async fn a_revocation_reaches_the_watcher_and_the_answer_names_its_snapshot() {
    let control = control("store: memory").await;
    let mut watcher = Watcher::open(&control, "caller-1").await;
    let first = watcher.burst().await;
    watcher.answer(MANIFEST_TYPE_URL, &first.nonce, None).await;
    let (status, done) =
        post(&control, REVOKE, r#"{"caller": "spiffe://mesh/agent/planner", "reason": "stolen"}"#).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!((&done["kind"], &done["name"]), (&"caller".into(), &"spiffe://mesh/agent/planner".into()));
    let burst = watcher.burst().await;
    assert!(burst.bodies.contains(&key(ResourceKind::Revocations, SELF)), "{burst:?}");
    watcher.answer(MANIFEST_TYPE_URL, &burst.nonce, None).await;
    let serial = done["serial"].as_u64().unwrap();
    let knows = |proxies: &serde_json::Value| proxies["items"][0]["serial"].as_u64() >= Some(serial);
    json_until(&control, "/v1/proxies", knows).await;
    let listed = json(&control, LIST).await;
    assert_eq!((&listed["items"][0]["name"], &listed["items"][0]["reason"]), (&done["name"], &"stolen".into()));
    let events = json(&control, "/v1/events").await;
    let event = events["items"].as_array().unwrap().iter().find(|event| event["kind"] == "sessions_revoked").unwrap();
    assert_eq!((&event["subject"], &event["detail"]), (&"caller spiffe://mesh/agent/planner".into(), &"stolen".into()));
    soon(control.stop()).await;
}

#[tokio::test]
async fn the_same_revocation_twice_names_the_snapshot_that_has_it() {
    let control = control("store: memory").await;
    let (_, first) = post(&control, REVOKE, r#"{"session": "0123456789abcdef"}"#).await;
    let (status, second) = post(&control, REVOKE, r#"{"session": "0123456789ABCDEF"}"#).await;
    assert_eq!(status, 200);
    assert!(second["serial"].as_u64() >= first["serial"].as_u64(), "{first} {second}");
    assert_eq!(json(&control, LIST).await["items"].as_array().unwrap().len(), 1);
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_revocation_outlives_control() {
    let folder = tempfile::tempdir().unwrap();
    let settings = || settings(folder.path(), "store: sqlite:control.db");
    let control = Control::start(settings()).await.unwrap();
    post(&control, REVOKE, r#"{"agent": "weather"}"#).await;
    let listed = |all: &serde_json::Value| all["items"].as_array().is_some_and(|items| items.len() == 2);
    let before = json_until(&control, "/v1/snapshots", listed).await;
    soon(control.stop()).await;
    let control = Control::start(settings()).await.unwrap();
    assert_eq!(json(&control, LIST).await["items"][0]["name"], "weather");
    assert_eq!(json(&control, "/v1/snapshots").await, before, "the same content is the same snapshot");
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_request_that_says_not_exactly_one_thing_is_refused() {
    let control = control("store: memory").await;
    let bad = [
        "{}",
        r#"{"session": "0123456789abcdef", "agent": "weather"}"#,
        r#"{"session": "my-id"}"#,
        r#"{"agent": "Not A Name"}"#,
        r#"{"caller": ""}"#,
        r#"{"tool": "x"}"#,
        "not json",
    ];
    for body in bad {
        let (status, problem) = post(&control, REVOKE, body).await;
        assert_eq!((status, &problem["title"]), (400, &"the body cannot be understood".into()), "{body}: {problem}");
        assert!(!problem.to_string().contains("my-id"), "what may be a secret is not repeated: {problem}");
    }
    assert!(json(&control, LIST).await["items"].as_array().unwrap().is_empty());
    soon(control.stop()).await;
}
