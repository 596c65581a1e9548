//! The mesh API of the founding documents.

use serde_json::json;

use super::mesh::{control, json, json_until, soon};
use super::upstream::send;

fn service(instance: usize) -> serde_json::Value {
    json!({
        "service_id": format!("mcp-language-server-{instance}"), "service_name": "mcp-language-server", "address": "127.0.0.1",
        "port": 11100 + instance, "tags": ["mcp", "language"],
        "metadata": {"mcp_server": "language-server", "instance": instance, "capabilities": ["hover", "definition"]},
    })
}

#[tokio::test]
async fn services_register_are_listed_and_are_asked_how_they_are() {
    let control = control("store: memory").await;
    for instance in 0..3 {
        let (status, answer) = send(&control, "POST", "/api/v1/mesh/v2/register", &service(instance).to_string()).await;
        assert_eq!((status, &answer["status"]), (201, &"registered".into()), "{answer}");
    }
    let listed = json(&control, "/api/v1/mesh/v2/services?name=mcp-language-server").await;
    let services = listed["services"].as_array().unwrap();
    assert_eq!(services.len(), 3);
    let first = &services[0];
    assert_eq!((&first["service_id"], &first["port"]), (&"mcp-language-server-0".into(), &11100.into()));
    assert_eq!(first["metadata"]["capabilities"], json!(["definition", "hover"]));
    assert_eq!(json(&control, "/api/v1/mesh/v2/services?name=nobody").await, json!({"services": []}));
    let status = json(&control, "/api/v1/mcp/mcp-language-server/status").await;
    assert_eq!((&status["instances"], &status["healthy"]), (&3.into(), &3.into()));
    assert!(status["details"].as_array().unwrap().iter().all(|one| one["state"] == "HEALTHY"), "{status}");
    assert_eq!(send(&control, "GET", "/api/v1/mcp/nobody/status", "").await.0, 404);
    let (code, answer) = send(&control, "POST", "/api/v1/mcp/mcp-language-server/execute", "{}").await;
    assert_eq!(code, 421);
    assert!(answer["hint"].as_str().unwrap().contains("proxy"), "{answer}");
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_service_is_believed_for_as_long_as_it_asked_for() {
    let control = control("store: memory\nlease: {light_seconds: 2, lease_seconds: 4}").await;
    let mut short = service(0);
    short["ttl_seconds"] = json!(1);
    send(&control, "POST", "/api/v1/mesh/v2/register", &short.to_string()).await;
    send(&control, "POST", "/api/v1/mesh/v2/register", &service(1).to_string()).await;
    let path = "/api/v1/mcp/language-server/status";
    assert_eq!(send(&control, "GET", path, "").await.0, 404, "a prefix may be left out, never made up");
    let path = "/api/v1/mcp/mcp-language-server/status";
    let status = json_until(&control, path, |status| status["healthy"] == 1).await;
    assert_eq!(status["details"][0]["state"], "UNHEALTHY", "the one that asked for a second: {status}");
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_service_that_cannot_be_is_refused() {
    let control = control("store: memory").await;
    let bad = [
        ("service_id", json!("no spaces")),
        ("address", json!("169.254.169.254")),
        ("ttl_seconds", json!(0)),
        ("port", json!(0)),
    ];
    for (field, value) in bad {
        let mut body = service(0);
        body[field] = value;
        let (status, answer) = send(&control, "POST", "/api/v1/mesh/v2/register", &body.to_string()).await;
        assert_eq!(status, 400, "{field}: {answer}");
    }
    assert_eq!(json(&control, "/api/v1/mesh/v2/services").await, json!({"services": []}));
    soon(control.stop()).await;
}
