//! Values of header fields: kept, sent to proxies, and shown to nobody.

use outrigger_wire::watcher::Role;

use super::*;

const MARKER: &str = "hunter2-marker";

fn document(value: &str) -> String {
    format!(
        "routes: [{{name: forecast, capability: weather, headers: {{set: {{authorization: {value}}}, add: {{x-api-key: {value}}}}}}}]"
    )
}

/// Every path of the operator API that may be read.
const PATHS: [&str; 17] = [
    "/v1/agents",
    "/v1/capabilities",
    "/v1/routes",
    "/v1/proxies",
    "/v1/snapshots",
    "/v1/events?limit=1000",
    "/v1/explain?capability=forecast",
    "/v1/sessions/revocations",
    "/v1/history",
    "/v1/intents/2",
    "/v1/intents/3",
    "/v1/intents/4",
    "/v1/diff/1/2",
    "/v1/diff/2/3",
    "/v1/diff/3/2",
    "/metrics",
    "/healthz/ready",
];

#[tokio::test]
async fn no_answer_has_the_value_of_a_header_field_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let control = soon(Control::start(settings(folder.path(), "store: sqlite:control.db"))).await.unwrap();
    let _proxy = register(&control, "weather-1").await;
    let planned = plan(&control, &document(MARKER)).await;
    assert!(planned["findings"].to_string().contains("secret_value"), "{planned}");
    let published = publish(&control, "1", &document(MARKER)).await;
    let changed = publish(&control, "2", &document("another-hunter2-marker")).await;
    let back = roll_back(&control, 3, None).await;
    assert_eq!((published.0, changed.0, back.0), (200, 200, 200));
    let mut said = vec![planned.to_string(), published.1.to_string(), changed.1.to_string(), back.1.to_string()];
    for path in PATHS {
        let (status, _, body) = get(&control, path, "127.0.0.1").await;
        assert_eq!(status, 200, "{path}: {body}");
        said.push(format!("{path}: {body}"));
    }
    assert!(said.iter().any(|text| text.contains("headers.set.authorization") && text.contains("(hidden)")));
    for wrong in wrongs() {
        said.push(plan(&control, &wrong).await.to_string());
        said.push(publish(&control, "4", &wrong).await.1.to_string());
        let object = format!("{{\"document\": {wrong:?}, \"author\": 5}}");
        said.push(post_with(&control, "/v1/publish", "if-match: \"4\"\r\n", &object).await.1.to_string());
    }
    let mut grpc = IntentClient::new(channel(&control, None));
    let planned = grpc.plan(wire::PlanRequest { document: document(MARKER) }).await.unwrap();
    said.push(format!("{planned:?}"));
    let diff = grpc.diff(wire::DiffRequest { before: 2, after: 3 }).await.unwrap().into_inner();
    assert_eq!(diff.differences[0].fields.len(), 2);
    said.push(format!("{diff:?}"));
    let publish = wire::PublishRequest { document: wrongs().concat(), expected: 4, ..Default::default() };
    said.push(format!("{publish:?} {:?}", grpc.publish(publish.clone()).await.unwrap_err()));
    for text in &said {
        assert!(!text.contains("hunter2"), "{text}");
    }

    let mut observer = Watcher::connect_as(Role::Observer, channel(&control, None), "desk", &[], Tokens::new()).await;
    let body = observer.route_body("forecast").await;
    assert!(!String::from_utf8_lossy(&body).contains("hunter2"), "who only looks sees names");
    let mut proxy = Watcher::open(&control, "caller-1").await;
    let body = proxy.route_body("forecast").await;
    assert!(String::from_utf8_lossy(&body).contains(MARKER), "a proxy needs the value");
    soon(control.stop()).await;
}

fn wrongs() -> Vec<String> {
    let route = |headers: String| format!("routes: [{{name: forecast, capability: weather, headers: {headers}}}]");
    vec![
        route(format!("{{set: {MARKER}}}")),
        route(format!("{{set: {{authorization: [{MARKER}]}}}}")),
        route(format!("{{set: {{host: {MARKER}}}}}")),
        route(format!("[{MARKER}]")),
        route(format!("{{set: {{authorization: \"{MARKER}\\u0007\"}}}}")),
        format!("{}\nrutes: []", document(MARKER)),
        format!("{}\nroutes: []", document(MARKER)),
        format!("{}]", document(MARKER)),
    ]
}
