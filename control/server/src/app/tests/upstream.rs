//! The registry API of mcp-mesh, as an agent without a proxy and `meshctl` see it.

use serde_json::{Value, json};

use super::mesh::{Tokens, Watcher, ask, control, json, json_until, key, soon};
use super::*;

/// A registration of `id`, whose name is what stands before its last hyphen.
pub fn heartbeat(id: &str, port: u16, tools: Value) -> Value {
    let name = id.rsplit_once('-').unwrap().0;
    json!({
        "agent_id": id, "name": name, "agent_type": "mcp_agent", "version": "1.0.0", "http_host": "127.0.0.1",
        "http_port": port, "namespace": "default", "status": "healthy", "runtime": "python", "tools": tools,
    })
}

pub fn greets() -> Value {
    json!([{
        "function_name": "greet", "capability": "greeting", "version": "2.1.0", "tags": ["prod", "en"], "description": "Greets",
        "outputSchemaCanonical": {"type": "object"}, "outputSchemaHash": "sha256:a2c7",
        "kwargs": {"timeout": 20, "retry_count": 2, "function_name": "greet"},
    }])
}

/// Depends on nothing that is there, on `greeting`, and on `counter`.
fn asks() -> Value {
    json!([{
        "function_name": "hello_via", "capability": "hello_via", "version": "1.0.0",
        "dependencies": [
            {"capability": "nosuch"},
            {"capability": "greeting", "tags": ["prod", "+en", "-beta"], "version": ">=2.0.0"},
            {"capability": "counter"},
        ],
    }])
}

pub async fn beat(control: &Running, body: &Value) -> (u16, Value) {
    send(control, "POST", "/heartbeat", &body.to_string()).await
}

pub async fn send(control: &Running, method: &str, path: &str, body: &str) -> (u16, Value) {
    let head = "host: 127.0.0.1\r\ncontent-type: application/json\r\nconnection: close";
    let request = format!("{method} {path} HTTP/1.1\r\n{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let (status, _, body) = ask(control, &request).await;
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

pub async fn light(control: &Running, id: &str) -> u16 {
    send(control, "HEAD", &format!("/heartbeat/{id}"), "").await.0
}

pub async fn light_until(control: &Running, id: &str, status: u16) {
    let reached = async {
        while light(control, id).await != status {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(reached).await;
}

#[tokio::test]
async fn an_agent_is_told_who_provides_each_dependency_in_the_order_in_which_it_declared_them() {
    let control = control("store: memory").await;
    let (_, first) = beat(&control, &heartbeat("cons-2b47c468", 19102, asks())).await;
    assert_eq!((&first["status"], &first["agent_id"]), (&"success".into(), &"cons-2b47c468".into()));
    assert_eq!(first["message"], "Agent registered via heartbeat");
    let states = |answer: &Value| -> Vec<String> {
        let all = answer["dependencies_resolved"]["hello_via"].as_array().unwrap().iter();
        all.map(|one| one["status"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(&first), ["unresolved"; 3]);
    let unresolved =
        json!({"agent_id": "", "capability": "nosuch", "endpoint": "", "function_name": "", "status": "unresolved"});
    assert_eq!(first["dependencies_resolved"]["hello_via"][0], unresolved);

    beat(&control, &heartbeat("prov-13d4813f", 19101, greets())).await;
    light_until(&control, "cons-2b47c468", 202).await;
    let (_, second) = beat(&control, &heartbeat("cons-2b47c468", 19102, asks())).await;
    assert_eq!(second["message"], "Agent updated via heartbeat");
    assert_eq!(states(&second), ["unresolved", "available", "unresolved"]);
    let resolved = json!({
        "agent_id": "prov-13d4813f", "capability": "greeting", "endpoint": "http://127.0.0.1:19101", "function_name": "greet",
        "kwargs": {"timeout": 20, "retry_count": 2, "function_name": "greet"}, "status": "available",
    });
    assert_eq!(second["dependencies_resolved"]["hello_via"][1], resolved);
    assert_eq!(light(&control, "cons-2b47c468").await, 200);
    soon(control.stop()).await;
}

#[tokio::test]
async fn who_registers_after_a_provider_was_answered_is_wired_at_once() {
    let control = control("store: memory").await;
    for round in 0..5 {
        beat(&control, &heartbeat(&format!("prov-{round}"), 19101, greets())).await;
        let (_, answer) = beat(&control, &heartbeat(&format!("cons-{round}"), 19102, asks())).await;
        assert_eq!(answer["dependencies_resolved"]["hello_via"][1]["status"], "available", "{round}");
        assert_eq!(send(&control, "DELETE", &format!("/agents/prov-{round}"), "").await.0, 204);
    }
    soon(control.stop()).await;
}

#[tokio::test]
async fn only_agents_that_are_concerned_are_signalled() {
    let control = control("store: memory").await;
    beat(&control, &heartbeat("cons-1", 19102, asks())).await;
    beat(&control, &heartbeat("prov-1", 19101, greets())).await;
    light_until(&control, "cons-1", 202).await;
    beat(&control, &heartbeat("cons-1", 19102, asks())).await;
    let other = json!([{"function_name": "f", "capability": "unrelated"}]);
    beat(&control, &heartbeat("other-1", 19103, other)).await;
    assert_eq!(light(&control, "cons-1").await, 200, "who joins elsewhere is no news");
    assert_eq!(light(&control, "prov-1").await, 200);
    // In place: the provider listens on another port.
    beat(&control, &heartbeat("prov-1", 19111, greets())).await;
    light_until(&control, "cons-1", 202).await;
    let (_, answer) = beat(&control, &heartbeat("cons-1", 19102, asks())).await;
    assert_eq!(answer["dependencies_resolved"]["hello_via"][1]["endpoint"], "http://127.0.0.1:19111");
    assert_eq!(send(&control, "DELETE", "/agents/prov-1", "").await.0, 204);
    light_until(&control, "cons-1", 202).await;
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_light_signal_of_an_unknown_agent_asks_it_to_register() {
    let control = control("store: memory").await;
    assert_eq!(light(&control, "nope").await, 410);
    assert_eq!(send(&control, "DELETE", "/agents/nope", "").await.0, 204);
    beat(&control, &heartbeat("prov-1", 19101, greets())).await;
    assert_eq!(light(&control, "prov-1").await, 200);
    assert_eq!(send(&control, "DELETE", "/agents/prov-1", "").await.0, 204);
    assert_eq!(light(&control, "prov-1").await, 410);
    assert_eq!(json(&control, "/agents").await["count"], 0);
    soon(control.stop()).await;
}

#[tokio::test]
async fn an_agent_that_falls_silent_is_unhealthy_and_has_to_register_again() {
    let control = control("store: memory\nlease: {light_seconds: 2, lease_seconds: 4}").await;
    beat(&control, &heartbeat("prov-1", 19101, greets())).await;
    json_until(&control, "/agents", |agents| agents["agents"][0]["status"] == "unhealthy").await;
    light_until(&control, "prov-1", 410).await;
    let (_, answer) = beat(&control, &heartbeat("prov-1", 19101, greets())).await;
    assert_eq!(answer["status"], "success");
    assert_eq!(json(&control, "/agents").await["agents"][0]["status"], "healthy");
    let kinds = |events: &Value| -> Vec<String> {
        let all = events["events"].as_array().unwrap().iter().rev();
        all.map(|event| event["event_type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&json(&control, "/events?agent_id=prov-1").await), ["register", "unhealthy", "register"]);
    soon(control.stop()).await;
}

#[tokio::test]
async fn light_signals_keep_an_agent_for_longer_than_its_lease() {
    let control = control("store: memory\nlease: {light_seconds: 2, lease_seconds: 4}").await;
    beat(&control, &heartbeat("prov-1", 19101, greets())).await;
    let began = tokio::time::Instant::now();
    while began.elapsed() < Duration::from_millis(6_000) {
        assert_eq!(light(&control, "prov-1").await, 200);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    soon(control.stop()).await;
}

#[tokio::test]
async fn what_cannot_be_registered_is_refused_as_mcp_mesh_does_it() {
    let control = control("store: memory").await;
    let with = |field: &str, value: Value| {
        let mut body = heartbeat("prov-1", 19101, greets());
        body[field] = value;
        body
    };
    let (status, answer) = send(&control, "POST", "/heartbeat", "{}").await;
    assert_eq!((status, &answer["error"]), (400, &"agent_id is required".into()));
    assert_eq!(send(&control, "POST", "/heartbeat", "[").await.0, 400);
    let meant = [
        (with("agent_id", json!("bad id!")), "agent_id"),
        (with("agent_type", json!("weird")), "agent_type"),
        (with("runtime", json!("cobol")), "runtime"),
        (with("http_port", json!(0)), "http_port"),
        (with("http_host", json!("169.254.169.254")), "169.254.169.254"),
        (with("http_host", json!("2852039166")), "neither an address"),
        (with("http_host", json!("0xa9.0xfe.0xa9.0xfe")), "neither an address"),
        (with("http_host", json!("0251.0376.0251.0376")), "neither an address"),
        (with("http_host", json!("::ffff:169.254.169.254")), "169.254.169.254"),
        (with("http_host", json!("fe80::1%eth0")), "neither an address"),
        (with("http_host", json!("0.0.0.0")), "0.0.0.0"),
        (with("http_host", json!("10.0.0.9")), "allow_networks"),
    ];
    for (body, says) in meant {
        let (status, answer) = beat(&control, &body).await;
        assert_eq!((status, &answer["status"]), (200, &"error".into()), "{body}");
        assert!(answer["message"].as_str().unwrap().contains(says), "{says}: {answer}");
    }
    assert_eq!(json(&control, "/agents").await["count"], 0);
    soon(control.stop()).await;
}

#[tokio::test]
async fn beyond_loopback_an_agent_without_an_identity_is_refused_unless_the_mesh_is_insecure() {
    let networks = "registration: {allow_networks: [10.0.0.0/8]}";
    let mut body = heartbeat("prov-1", 19101, greets());
    body["http_host"] = json!("10.0.0.9");
    let strict = control(&format!("store: memory\n{networks}")).await;
    let (_, answer) = beat(&strict, &body).await;
    assert!(answer["message"].as_str().unwrap().contains("start a proxy beside the agent"), "{answer}");
    soon(strict.stop()).await;
    let open = control(&format!("store: memory\ninsecure: true\n{networks}")).await;
    assert_eq!(beat(&open, &body).await.1["status"], "success");
    assert_eq!(json(&open, "/agents").await["agents"][0]["endpoint"], "http://10.0.0.9:19101");
    soon(open.stop()).await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_and_a_page_of_the_web_are_refused() {
    let control = control("store: memory").await;
    let head = "POST /heartbeat HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n";
    let large = format!("{head}content-length: {}\r\n\r\n", (4 << 20) + 1);
    let (status, _, _) = ask(&control, &large).await;
    assert_eq!(status, 413);
    let page = format!("{head}origin: https://evil.example\r\ncontent-length: 2\r\n\r\n{{}}");
    assert_eq!(ask(&control, &page).await.0, 403);
    let rebound = "GET /agents HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert_eq!(ask(&control, rebound).await.0, 403);
    soon(control.stop()).await;
}

#[tokio::test]
async fn agents_are_listed_field_by_field() {
    let control = control("store: memory").await;
    beat(&control, &heartbeat("prov-1", 19101, greets())).await;
    let mut tools = asks();
    tools[0]["dependencies"][0] = json!({"capability": "nosuch", "required": true});
    beat(&control, &heartbeat("cons-1", 19102, tools)).await;
    let listed = json(&control, "/agents").await;
    assert_eq!(listed["count"], 2);
    let agents = listed["agents"].as_array().unwrap();
    let named = |id: &str| agents.iter().find(|agent| agent["id"] == id).unwrap().clone();
    let mut provider = named("prov-1");
    for time in ["created_at", "last_seen"] {
        assert!(provider[time].as_str().unwrap().ends_with('Z'), "{provider}");
        provider.as_object_mut().unwrap().remove(time);
    }
    let wanted = json!({
        "id": "prov-1", "name": "prov", "agent_type": "mcp_agent", "version": "1.0.0", "runtime": "python", "description": "",
        "endpoint": "http://127.0.0.1:19101", "status": "healthy", "a2a_producer": false, "a2a_consumer": false,
        "capabilities": [{
            "name": "greeting", "function_name": "greet", "version": "2.1.0", "description": "Greets", "tags": ["prod", "en"],
            "available": true,
        }],
        "total_dependencies": 0, "dependencies_resolved": 0, "dependency_resolutions": null,
        "llm_provider_resolutions": null, "llm_tool_resolutions": null,
    });
    let mut sorted = provider.clone();
    sort_tags(&mut sorted);
    let mut wanted = wanted;
    sort_tags(&mut wanted);
    assert_eq!(sorted, wanted);
    let consumer = named("cons-1");
    assert_eq!((&consumer["total_dependencies"], &consumer["dependencies_resolved"]), (&3.into(), &1.into()));
    assert_eq!(consumer["capabilities"][0]["available"], false);
    assert_eq!(consumer["capabilities"][0]["unavailable_reason"], "required dep 'nosuch' unresolved");
    let edge = json!({
        "function_name": "hello_via", "capability": "greeting", "status": "available", "provider_agent_id": "prov-1",
        "mcp_tool": "greet", "endpoint": "http://127.0.0.1:19101",
    });
    assert_eq!(consumer["dependency_resolutions"][1], edge);
    soon(control.stop()).await;
}

fn sort_tags(agent: &mut Value) {
    let tags = agent["capabilities"][0]["tags"].as_array_mut().unwrap();
    tags.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
}

#[tokio::test]
async fn what_else_tools_of_mcp_mesh_read_is_answered() {
    let control = control("store: memory").await;
    let mut agent = heartbeat("hi-1", 19101, greets());
    agent["agent_type"] = json!("a2a");
    agent["a2a_producer"] = json!(true);
    agent["surfaces"] = json!([{"path": "/agents/hi", "skill_id": "say-hi"}]);
    beat(&control, &agent).await;
    let health = json(&control, "/health").await;
    assert_eq!((&health["service"], &health["status"]), (&"mcp-mesh-registry".into(), &"healthy".into()));
    assert_eq!(json(&control, "/").await["status"], "running");
    let surfaces = json(&control, "/a2a/agents").await;
    assert_eq!(surfaces, json!({"surfaces": [{"path": "/agents/hi", "skill_id": "say-hi"}]}));
    let schemas = json(&control, "/schemas").await;
    assert_eq!((&schemas["count"], &schemas["schemas"][0]["hash"]), (&1.into(), &"sha256:a2c7".into()));
    assert_eq!(json(&control, "/schemas/sha256:a2c7").await["canonical"], json!({"type": "object"}));
    assert_eq!(send(&control, "GET", "/schemas/sha256:00", "").await.0, 404);
    assert_eq!(send(&control, "POST", "/jobs/claim", "{}").await, (200, json!({"claimed": []})));
    for (method, path) in [("POST", "/jobs"), ("POST", "/jobs/batch"), ("GET", "/jobs/1"), ("POST", "/jobs/1/cancel")] {
        let (status, answer) = send(&control, method, path, "{}").await;
        assert_eq!(status, 501, "{path}");
        assert!(answer["hint"].is_string(), "{path}: {answer}");
    }
    soon(control.stop()).await;
}

#[tokio::test]
async fn proxies_are_not_sent_to_agents_that_no_proxy_stands_beside() {
    let control = control("store: memory").await;
    let _proxy = register(&control, "weather-1").await;
    beat(&control, &heartbeat("prov-1", 19101, greets())).await;
    let mut watcher = Watcher::connect(channel(&control, None), "caller-1", &[], Tokens::new()).await;
    watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "weather"))).await;
    assert!(!watcher.tokens.contains_key(&key(ResourceKind::Route, "prov")));
    assert_eq!(json(&control, "/agents").await["count"], 2);
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_resolution_with_something_to_decide_is_told_once_with_its_stages() {
    let control = control("store: memory").await;
    beat(&control, &heartbeat("prov-1", 19101, greets())).await;
    beat(&control, &heartbeat("cons-1", 19102, asks())).await;
    let path = "/events?agent_id=cons-1&type=dependency_resolved";
    assert_eq!(json(&control, path).await["count"], 0, "a plain first wiring leaves no line");
    let mut old = greets();
    old[0]["version"] = json!("1.0.0");
    beat(&control, &heartbeat("aged-1", 19103, old)).await;
    let told = json_until(&control, path, |told| told["count"] == 1).await;
    let event = &told["events"][0];
    assert_eq!((&event["function_name"], &event["data"]["dep_index"]), (&"hello_via".into(), &1.into()));
    let spec = &event["data"]["spec"];
    assert_eq!((&spec["capability"], &spec["schema_mode"]), (&"greeting".into(), &"none".into()));
    let stages = event["data"]["stages"].as_array().unwrap();
    let version = stages.iter().find(|stage| stage["stage"] == "version").unwrap();
    assert_eq!(version["kept"], json!(["prov-1:greet"]));
    assert_eq!(version["evicted"][0]["id"], "aged-1:greet");
    assert_eq!(version["evicted"][0]["reason"], "VersionConstraintFailed");
    let chosen = json!({"agent_id": "prov-1", "endpoint": "http://127.0.0.1:19101", "function_name": "greet"});
    assert_eq!(event["data"]["chosen"], chosen);
    // The provider goes: what is left does not fit.
    send(&control, "DELETE", "/agents/prov-1", "").await;
    let path = "/events?agent_id=cons-1&type=dependency_unresolved";
    let told = json_until(&control, path, |told| told["count"] == 1).await;
    assert_eq!(told["events"][0]["data"]["prior_chosen"], "prov-1");
    beat(&control, &heartbeat("else-1", 19104, json!([{"function_name": "f", "capability": "unrelated"}]))).await;
    assert_eq!(json(&control, "/events?agent_id=cons-1").await["count"], 3, "registered, resolved, lost");
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_circle_of_required_dependencies_is_refused() {
    let control = control("store: memory").await;
    let needs = |function: &str, offers: &str, requires: &str| json!([{"function_name": function, "capability": offers, "dependencies": [{"capability": requires, "required": true}]}]);
    beat(&control, &heartbeat("ca-1", 19101, needs("a", "CA", "CB"))).await;
    let (status, answer) = beat(&control, &heartbeat("cb-1", 19102, needs("b", "CB", "CA"))).await;
    assert_eq!((status, &answer["status"]), (200, &"error".into()), "{answer}");
    assert!(answer["message"].as_str().unwrap().contains("required dependency cycle"), "{answer}");
    soon(control.stop()).await;
}

#[tokio::test]
async fn after_a_restart_an_agent_registers_again_and_can_leave() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Control::start(settings(folder.path(), "store: sqlite:control.db"));
    let control = soon(start()).await.unwrap();
    beat(&control, &heartbeat("prov-1", 19101, greets())).await;
    beat(&control, &heartbeat("cons-1", 19102, asks())).await;
    soon(control.stop()).await;
    let control = soon(start()).await.unwrap();
    assert_eq!(json(&control, "/agents").await["count"], 2, "facts outlive control");
    assert_eq!(light(&control, "cons-1").await, 410);
    let (_, answer) = beat(&control, &heartbeat("cons-1", 19102, asks())).await;
    assert_eq!(answer["dependencies_resolved"]["hello_via"][1]["status"], "available");
    assert_eq!(send(&control, "DELETE", "/agents/prov-1", "").await.0, 204);
    assert_eq!(json(&control, "/agents").await["count"], 1);
    soon(control.stop()).await;
}
