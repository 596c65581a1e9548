//! Intents as operators handle them: planned, published, rolled back, looked at.

use outrigger_wire::proto::intent as wire;
use outrigger_wire::proto::intent::intent_client::IntentClient;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, Executor};

use super::mesh::post_with;
use super::*;

mod secrets;

const ROUTE: &str = "routes: [{name: forecast, capability: weather}]";

async fn publish(control: &Running, expected: &str, document: &str) -> (u16, Value) {
    let body = json!({"document": document, "author": "ada", "reason": "because"}).to_string();
    post_with(control, "/v1/publish", &format!("if-match: \"{expected}\"\r\n"), &body).await
}

async fn roll_back(control: &Running, expected: u64, to: Option<u64>) -> (u16, Value) {
    let body = json!({"to": to, "author": "ada", "reason": "it was wrong"}).to_string();
    post_with(control, "/v1/rollback", &format!("if-match: \"{expected}\"\r\n"), &body).await
}

async fn plan(control: &Running, document: &str) -> Value {
    let (status, plan) = post_with(control, "/v1/plan", "", &json!({"document": document}).to_string()).await;
    assert_eq!(status, 200, "{plan}");
    plan
}

/// `number source undoes`, newest first; the one that runs is marked.
async fn history(control: &Running) -> Vec<String> {
    let items = json(control, "/v1/history").await;
    let line = |item: &Value| {
        let runs = if item["runs"] == true { "*" } else { "" };
        format!("{}{runs} {} {}", item["number"], item["source"].as_str().unwrap(), item["undoes"])
    };
    items["items"].as_array().unwrap().iter().map(line).collect()
}

fn forecast() -> (String, String) {
    key(ResourceKind::Route, "forecast")
}

#[tokio::test]
async fn what_is_published_reaches_watchers_and_a_rollback_takes_it_back_under_a_new_serial() {
    let control = control("store: memory").await;
    let _proxy = register(&control, "weather-1").await;
    let mut watcher = Watcher::open(&control, "caller-1").await;
    watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "weather"))).await;
    let slow = "routes: [{name: forecast, capability: weather, timeouts: {connect_ms: 7}}]";
    let (status, first) = publish(&control, "1", ROUTE).await;
    assert_eq!((status, &first["number"], &first["is_new"]), (200, &json!(2), &json!(true)), "{first}");
    watcher.apply_until(|held| held.contains_key(&forecast())).await;
    let token = watcher.tokens[&forecast()].clone();
    let (_, second) = publish(&control, "2", slow).await;
    watcher.apply_until(|held| held[&forecast()] != token).await;
    let bad = watcher.tokens[&forecast()].clone();

    let (status, back) = roll_back(&control, 3, None).await;
    assert_eq!((status, &back["number"]), (200, &json!(4)), "{back}");
    assert!(back["serial"].as_u64() > second["serial"].as_u64());
    watcher.apply_until(|held| held[&forecast()] != bad).await;
    let again = &watcher.tokens[&forecast()];
    assert_ne!(*again, token, "the token is new, so a watcher that refused half of it is mended");
    let hash = |token: &str| token.rsplit_once('-').unwrap().1.to_owned();
    assert_eq!(hash(again), hash(&token), "and the content is the old one");
    assert_eq!(history(&control).await, ["4* rollback 3", "3 published null", "2 published null", "1 file null"]);
    let explained = json(&control, "/v1/explain?capability=forecast").await;
    assert_eq!((&explained["intent"], &explained["serial"]), (&json!(4), &back["serial"]));
    let proxies = json_until(&control, "/v1/proxies", |all| all["items"][0]["status"] == "SYNCED").await;
    assert_eq!(proxies["items"][0]["serial"], back["serial"]);
    soon(control.stop()).await;
}

#[tokio::test]
async fn who_saw_another_intent_run_is_told_which_one_runs() {
    let control = control("store: memory").await;
    publish(&control, "1", ROUTE).await;
    let (status, problem) = publish(&control, "1", "routes: []").await;
    assert_eq!((status, &problem["current"]), (412, &json!(2)), "{problem}");
    let (status, problem) = roll_back(&control, 1, None).await;
    assert_eq!((status, &problem["current"]), (412, &json!(2)), "{problem}");
    let body = json!({"document": ROUTE, "author": "ada", "reason": "because"}).to_string();
    for fields in ["", "if-match: *\r\n", "if-match: 2\r\n", "if-match: \"two\"\r\n"] {
        let (status, problem) = post_with(&control, "/v1/publish", fields, &body).await;
        assert_eq!((status, &problem["current"]), (428, &json!(2)), "{fields}: {problem}");
    }
    let (status, same) = publish(&control, "2", ROUTE).await;
    assert_eq!((status, &same["number"], &same["is_new"]), (200, &json!(2), &json!(false)));
    assert_eq!(history(&control).await.len(), 2);
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_restart_keeps_what_was_published_and_a_changed_file_makes_a_new_record() {
    let folder = tempfile::tempdir().unwrap();
    let start = |yaml: &str| Control::start(settings(folder.path(), &format!("store: sqlite:control.db\n{yaml}")));
    let control = soon(start("")).await.unwrap();
    let (_, published) = publish(&control, "1", ROUTE).await;
    soon(control.stop()).await;

    let mut control = soon(start("")).await.unwrap();
    assert_eq!(history(&control).await, ["2* published null", "1 file null"]);
    let explained = json(&control, "/v1/explain?capability=forecast").await;
    assert_eq!((&explained["intent"], &explained["serial"]), (&json!(2), &published["serial"]));
    let same = settings(folder.path(), "store: sqlite:control.db");
    assert!(!soon(control.reload(same)).await.unwrap().is_intent_new, "the file says what it said");
    let changed = settings(folder.path(), "store: sqlite:control.db\nroutes: [{name: tides, capability: sea}]");
    let declaration = soon(control.reload(changed)).await.unwrap();
    assert_eq!((declaration.number, declaration.is_intent_new), (3, true));
    let named =
        |routes: &Value, name: &str| routes["items"].as_array().unwrap().iter().any(|item| item["name"] == name);
    let routes = json_until(&control, "/v1/routes", |routes| named(routes, "tides")).await;
    assert!(!named(&routes, "forecast"));
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_plan_says_what_would_change_for_whom_and_writes_nothing() {
    let control = control("store: memory").await;
    let _proxy = register(&control, "weather-1").await;
    let mut base = Watcher::open(&control, "caller-1").await;
    base.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "weather"))).await;
    let needs = ["forecast=weather"];
    let mut own = Watcher::connect(channel(&control, None), "caller-2", &needs, Tokens::new()).await;
    own.apply_until(|held| held.contains_key(&forecast())).await;
    let serial = json(&control, "/v1/snapshots").await["items"][0]["serial"].clone();

    let plan =
        plan(&control, "routes: [{name: forecast, capability: weather, tags: [nowhere], keys: [{header: x-cart}]}]")
            .await;
    assert_eq!((&plan["current"], &plan["publishable"]), (&json!(1), &json!(true)));
    let kinds = |list: &Value| {
        list.as_array()
            .unwrap()
            .iter()
            .map(|item| format!("{} {}", item["kind"].as_str().unwrap(), item["path"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        kinds(&plan["findings"]),
        ["unknown_tag routes[forecast].tags", "shadowed_name routes[forecast].name", "other_build document"]
    );
    assert_eq!(kinds(&plan["expressible"]), ["stock_clients routes[forecast].keys[0]"]);
    // The one that needs something else under the name sees no change of it.
    assert_eq!((&plan["view_count"], &plan["proxy_count"]), (&json!(1), &json!(1)), "{plan}");
    let view = &plan["views"][0];
    assert_eq!((&view["view"], &view["proxies"]), (&json!("base"), &json!(["caller-1"])));
    let added = |kind: &str, name: &str| json!({"change": "added", "kind": kind, "name": name});
    let expected = [added("Pool", "forecast--none"), added("Endpoints", "forecast--none"), added("Route", "forecast")];
    assert_eq!(view["changes"], json!(expected));

    assert_eq!(history(&control).await, ["1* file null"]);
    assert_eq!(json(&control, "/v1/snapshots").await["items"][0]["serial"], serial);
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_document_that_is_none_is_a_finding_of_a_plan_and_no_publication() {
    let control = control("store: memory").await;
    let bad = "routes: [{nam: forecast, capability: weather}]";
    let planned = plan(&control, bad).await;
    assert_eq!(planned["publishable"], false);
    let finding = &planned["findings"][0];
    assert_eq!(
        (&finding["severity"], &finding["kind"], &finding["path"]),
        (&json!("error"), &json!("invalid"), &json!("routes[0].nam"))
    );
    let (status, problem) = publish(&control, "1", bad).await;
    assert_eq!((status, &problem["findings"]), (422, &planned["findings"]));
    let body = json!({"document": {"routes": [{"name": "a", "capability": "$${x"}]}}).to_string();
    let (_, planned) = post_with(&control, "/v1/plan", "", &body).await;
    assert_eq!(planned["findings"][0]["path"], "routes[0]", "an object is read as a text is");
    for (author, reason) in [("", "because"), ("ada", " "), ("ada", "two\nlines")] {
        let body = json!({"document": ROUTE, "author": author, "reason": reason}).to_string();
        let (status, problem) = post_with(&control, "/v1/publish", "if-match: \"1\"\r\n", &body).await;
        assert_eq!(status, 400, "{problem}");
    }
    let large = json!({"document": "x".repeat(1 << 20)}).to_string();
    assert_eq!(post_with(&control, "/v1/plan", "", &large).await.0, 413);
    assert_eq!(history(&control).await, ["1* file null"]);
    soon(control.stop()).await;
}

#[tokio::test]
async fn an_intent_that_was_is_shown_and_compared_and_one_that_was_not_is_not_found() {
    let control = control("store: memory").await;
    let (status, problem) = roll_back(&control, 1, None).await;
    assert_eq!((status, &problem["title"]), (409, &json!("there is nothing to go back to")));
    publish(&control, "1", ROUTE).await;
    publish(&control, "2", "routes: [{name: forecast, capability: weather, priority: high}]").await;
    let shown = json(&control, "/v1/intents/2").await;
    assert_eq!(shown["document"], json!({"routes": [{"name": "forecast", "capability": "weather"}]}));
    assert_eq!((&shown["author"], &shown["reason"], &shown["parent"]), (&json!("ada"), &json!("because"), &json!(1)));
    let diff = json(&control, "/v1/diff/2/3").await;
    let field = json!({"path": "priority", "before": null, "after": "high"});
    assert_eq!(diff["items"], json!([{"change": "changed", "kind": "route", "name": "forecast", "fields": [field]}]));
    let page = json(&control, "/v1/history?before=3&limit=1").await;
    assert_eq!((page["items"].as_array().unwrap().len(), &page["items"][0]["number"]), (1, &json!(2)));
    for (path, expected) in
        [("/v1/intents/9", 404), ("/v1/diff/1/9", 404), ("/v1/intents/x", 400), ("/v1/history?limit=x", 400)]
    {
        let (status, _, body) = get(&control, path, "127.0.0.1").await;
        assert_eq!(status, expected, "{path}: {body}");
    }
    assert_eq!(roll_back(&control, 3, Some(9)).await.0, 404);
    soon(control.stop()).await;
}

#[tokio::test]
async fn nothing_is_published_while_the_store_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let control = soon(Control::start(settings(folder.path(), "store: sqlite:control.db"))).await.unwrap();
    let file = folder.path().join("control.db");
    let mut other: sqlx::SqliteConnection =
        sqlx::sqlite::SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let (status, problem) = publish(&control, "1", ROUTE).await;
    assert_eq!((status, &problem["title"]), (503, &json!("the intent was not published")), "{problem}");
    other.execute("ROLLBACK").await.unwrap();
    other.close().await.unwrap();
    assert_eq!(history(&control).await, ["1* file null"]);
    let published = async {
        loop {
            let (status, published) = publish(&control, "1", ROUTE).await;
            match status {
                503 => tokio::time::sleep(Duration::from_millis(20)).await,
                _ => return (status, published),
            }
        }
    };
    let (status, published) = soon(published).await;
    assert_eq!((status, &published["number"]), (200, &json!(2)), "{published}");
    soon(control.stop()).await;
}

#[tokio::test]
async fn over_grpc_the_same_is_done_and_only_by_operators() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(TrustDomain::new("mesh.local").unwrap()).unwrap();
    authority.save(folder.path()).unwrap();
    let material = |party: &str| {
        let id = format!("spiffe://mesh.local/{party}").parse().unwrap();
        let issued = authority.issue(&id, LEAF_VALIDITY, &[]).unwrap();
        issued.save(folder.path(), party.rsplit('/').next().unwrap()).unwrap();
        outrigger_identity::Material::from_pem(&issued.certificate_pem, &issued.key_pem, authority.certificate_pem())
            .unwrap()
    };
    let (weather, operator, _control) = (material("agent/weather"), material("operator/ada"), material("control"));
    let yaml = "store: memory\nidentity: {certificate: control.pem, key: control.key, authority: ca.pem}";
    let control = soon(Control::start(settings(folder.path(), yaml))).await.unwrap();

    let mut agent = IntentClient::new(channel(&control, Some(&weather)));
    assert_eq!(soon(agent.history(wire::HistoryRequest::default())).await.unwrap_err().code(), Code::PermissionDenied);
    let mut ada = IntentClient::new(channel(&control, Some(&operator)));
    let planned = soon(ada.plan(wire::PlanRequest { document: ROUTE.to_owned() })).await.unwrap().into_inner();
    assert_eq!((planned.current, planned.view_count, planned.findings[0].kind.as_str()), (1, 1, "unknown_capability"));
    let request =
        wire::PublishRequest { document: ROUTE.into(), expected: 1, author: "mallory".into(), reason: "x".into() };
    let published = soon(ada.publish(request.clone())).await.unwrap().into_inner();
    assert_eq!((published.number, published.is_new), (2, true));
    let stale = wire::PublishRequest { document: String::new(), ..request.clone() };
    assert_eq!(soon(ada.publish(stale)).await.unwrap_err().code(), Code::Aborted);
    let bad = wire::PublishRequest { document: "x: 1".into(), expected: 2, ..request };
    assert_eq!(soon(ada.publish(bad)).await.unwrap_err().code(), Code::InvalidArgument);
    let back = wire::RollbackRequest { to: 0, expected: 2, reason: "wrong".into(), ..Default::default() };
    let back = soon(ada.rollback(back)).await.unwrap().into_inner();
    assert_eq!(back.number, 3);
    assert!(back.serial > published.serial);
    let history = soon(ada.history(wire::HistoryRequest::default())).await.unwrap().into_inner();
    let shape: Vec<_> =
        history.records.iter().map(|record| (record.number, record.source.as_str(), record.undoes)).collect();
    assert_eq!((history.current, shape), (3, vec![(3, "rollback", 2), (2, "published", 0), (1, "file", 0)]));
    assert_eq!(history.records[1].author, "spiffe://mesh.local/operator/ada", "who it is, not who it says");
    let diff = soon(ada.diff(wire::DiffRequest { before: 1, after: 2 })).await.unwrap().into_inner();
    assert_eq!((diff.differences.len(), diff.differences[0].change.as_str()), (1, "added"));
    let nothing = soon(ada.diff(wire::DiffRequest { before: 1, after: 9 })).await.unwrap_err();
    assert_eq!(nothing.code(), Code::NotFound);
    soon(control.stop()).await;
}
