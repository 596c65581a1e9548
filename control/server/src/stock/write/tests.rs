use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_control_core::snapshot::ledger::Ledger;
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::digest::Digest;
use outrigger_model::endpoint::{Endpoint, EndpointState};
use outrigger_model::name::{AgentName, PoolName, ReplicaId};
use outrigger_model::pool::policy::PoolPolicy;
use outrigger_model::pool::{Balance, Endpoints, Pool};
use outrigger_model::replica::Generation;
use outrigger_model::resource::{Serial, Token};
use outrigger_model::snapshot::{Resources, Snapshot};
use prost::bytes::Bytes;

use super::*;
use crate::stock::assemble::assemble;
use crate::stock::dialect::{Dialect, Envoy};
use crate::stock::engine::{Ask, Engine, Names};
use crate::stock::kind::Kind;
use crate::stock::shelf::Edition;
use crate::stock::view::{Draft, translate};

fn reply() -> Reply {
    let token = Token::new(Epoch(1), Serial(4), &Digest::of(b"x"));
    let resource = Resource { name: "a".into(), token, body: Bytes::from_static(b"body"), leads_to: vec![] };
    Reply {
        kind: Kind::Cluster,
        version: "v".into(),
        changed: vec![Arc::new(resource)],
        removed: vec!["gone".into()],
        missing: vec!["none".into()],
        nonce: "4.1".into(),
    }
}

#[test]
fn b7_every_body_has_the_type_of_its_answer_and_w8_what_is_missing_is_an_error_of_its_own() {
    let bytes = frame(&reply(), Mode::Sotw, Epoch(1)).0;
    let written = DiscoveryResponse::decode(bytes).unwrap();
    assert_eq!((written.version_info.as_str(), written.type_url.as_str()), ("v", Kind::Cluster.url()));
    assert_eq!(written.resources, [Any { type_url: Kind::Cluster.url().into(), value: b"body".into() }]);
    let [error] = written.resource_errors.as_slice() else { panic!("one error") };
    assert_eq!(error.resource_name.as_ref().unwrap().name, "none");
    assert_eq!(error.error_detail.as_ref().unwrap().code, NOT_FOUND);
}

#[test]
fn a_delta_names_each_resource_by_its_token() {
    let bytes = frame(&reply(), Mode::Delta, Epoch(1)).0;
    let written = DeltaDiscoveryResponse::decode(bytes).unwrap();
    assert_eq!(written.removed_resources, ["gone"]);
    let [resource] = written.resources.as_slice() else { panic!("one resource") };
    assert_eq!(
        (resource.name.as_str(), resource.version.as_str()),
        ("a", reply().changed[0].token.to_string().as_str())
    );
}

/// A mesh of so many agents, of which the first has this weight.
fn drafts(agents: usize, weight: u16) -> Vec<Draft> {
    let mut resources = Resources::default();
    for at in 0..agents {
        let (name, agent) =
            (PoolName::new(&format!("agent-{at}")).unwrap(), AgentName::new(&format!("agent-{at}")).unwrap());
        let endpoint = Endpoint {
            replica: ReplicaId::new(&format!("agent-{at}-1")).unwrap(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(at).unwrap() + 1)),
            identity: None,
            generation: Generation(1),
            weight: if at == 0 { weight } else { 100 },
            state: EndpointState::Up,
            tier: 0,
            zone: String::new(),
            tool: String::new(),
        };
        resources.endpoints.insert(name.clone(), Endpoints { pool: name.clone(), endpoints: vec![endpoint] });
        let slow_start = Duration::from_secs(if at == 0 { weight.into() } else { 0 });
        let policy = PoolPolicy { slow_start, ..PoolPolicy::default() };
        resources.pools.insert(name.clone(), Pool { name, agent, balance: Balance::default(), policy });
    }
    translate(&Snapshot::assemble(resources).unwrap(), &Dialect::Envoy(Envoy::default()), None)
}

/// Bytes of what an Envoy that accepts all of it is told.
fn bytes(engine: &mut Engine, edition: &Edition) -> usize {
    let mut sum = 0;
    loop {
        let replies = engine.say(edition, Instant::now());
        if replies.is_empty() {
            return sum;
        }
        for reply in replies {
            sum += frame(&reply, Mode::Delta, edition.epoch).0.len();
            let names = Names::Change { subscribe: vec![], unsubscribe: vec![], held: BTreeMap::new() };
            engine.hear(Ask { kind: reply.kind, names, nonce: reply.nonce, refusal: None }).unwrap();
        }
    }
}

#[test]
fn one_change_in_a_thousand_clusters_costs_one_cluster() {
    let (key, mut ledger) = (ViewKey::stored("stock-x"), Ledger::default());
    let (first, _) = assemble(&key, drafts(1_000, 100), None, &mut ledger, (Epoch(1), Serial(1)));
    let (second, _) = assemble(&key, drafts(1_000, 101), Some(&first), &mut ledger, (Epoch(1), Serial(2)));
    let mut engine = Engine::new(Mode::Delta);
    for kind in [Kind::Cluster, Kind::Endpoints, Kind::Listener, Kind::Route] {
        let names = second.shelf(kind).resources.keys().map(ToString::to_string);
        let subscribe = if kind.is_root() { vec!["*".to_owned()] } else { names.collect() };
        let names = Names::Change { subscribe, unsubscribe: vec![], held: BTreeMap::new() };
        engine.hear(Ask { kind, names, nonce: String::new(), refusal: None }).unwrap();
    }
    let all = bytes(&mut engine, &first);
    let one = bytes(&mut engine, &second);
    println!("first {all} bytes, one cluster with its endpoint {one} bytes");
    assert!(one < all / 500, "{one} of {all}");
}
