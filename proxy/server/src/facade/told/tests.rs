use std::collections::BTreeMap;

use outrigger_model::wiring::Wiring;
use outrigger_upstream::heartbeat::Heartbeat;
use serde_json::{Value, json};

use super::Answering;
use crate::facade::fixtures::{snapshot, wiring};

const BODY: &str = r#"{"agent_id":"cons-1","name":"cons","tools":[
    {"function_name":"GET:/hi","dependencies":[{"capability":"nosuch"},{"capability":"greeting"}]}]}"#;

fn greeting(heartbeat: &Heartbeat, agent: &str) -> Wiring {
    wiring(&heartbeat.registration.functions[0].needs[1].requirement, agent)
}

fn told(heartbeat: &Heartbeat, known: Option<Wiring>, before: Option<Wiring>) -> Value {
    let snapshot = snapshot(known.as_slice());
    let last: BTreeMap<_, _> = before.into_iter().map(|wiring| (wiring.route.clone(), wiring)).collect();
    let outbound = "127.0.0.1:17001".parse().unwrap();
    Answering { heartbeat, snapshot: &snapshot, last: &last, outbound }.answer(false, "")["dependencies_resolved"]
        .take()
}

#[test]
fn calls_go_to_this_proxy_under_the_function_that_makes_them() {
    let heartbeat = Heartbeat::read(BODY.as_bytes()).unwrap();
    let greeting = greeting(&heartbeat, "prov");
    let route = greeting.route.clone();
    let entries = &told(&heartbeat, Some(greeting), None)["GET:/hi"];
    assert_eq!(entries[0]["status"], "unresolved");
    assert_eq!(entries[1]["endpoint"], json!(format!("http://127.0.0.1:17001/d/GET%3A%2Fhi/{route}")));
    assert_eq!(entries[1]["agent_id"], "prov", "the agent, which stays when its replicas come and go");
}

#[test]
fn what_the_agent_provides_itself_it_is_told_to_call_itself() {
    let heartbeat = Heartbeat::read(BODY.as_bytes()).unwrap();
    let entries = &told(&heartbeat, Some(greeting(&heartbeat, "cons")), None)["GET:/hi"];
    assert_eq!(entries[1]["agent_id"], "cons-1");
}

#[test]
fn an_agent_whose_id_is_the_name_of_another_does_not_take_it_for_itself() {
    let heartbeat = Heartbeat::read(BODY.replace("cons-1", "prov").as_bytes()).unwrap();
    let entries = &told(&heartbeat, Some(greeting(&heartbeat, "prov")), None)["GET:/hi"];
    assert_eq!(entries[1]["agent_id"], "prov-1");
}

#[test]
fn what_is_not_known_now_is_told_as_it_was_known_last() {
    let heartbeat = Heartbeat::read(BODY.as_bytes()).unwrap();
    let greeting = greeting(&heartbeat, "prov");
    let known = told(&heartbeat, Some(greeting.clone()), None);
    assert_eq!(told(&heartbeat, None, Some(greeting)), known);
    assert_eq!(told(&heartbeat, None, None)["GET:/hi"][1]["status"], "unresolved");
}
