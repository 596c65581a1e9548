use std::net::{IpAddr, Ipv4Addr};

use outrigger_wire::proto::discovery::{DeltaDiscoveryRequest, Node};

use super::*;
use crate::stock::kind::Kind;

#[test]
fn values_that_may_be_secrets_are_told_only_to_a_certificate_of_a_proxy() {
    let told = |identity: Option<&str>| {
        let identity = identity.map(|id| format!("spiffe://mesh.example/{id}").parse().unwrap());
        audience(&Peer { identity, from: IpAddr::V4(Ipv4Addr::LOCALHOST) })
    };
    assert_eq!(told(None), Audience::Observers, "anybody can say to be an Envoy");
    assert_eq!(told(Some("operator/alice")), Audience::Observers);
    assert_eq!(told(Some("agent/edge")), Audience::Proxies);
    assert_eq!(told(Some("node/edge")), Audience::Proxies);
}

#[test]
fn a_stream_is_for_stock_clients_by_its_type_or_by_who_opens_it() {
    let first = |agent: &str, type_url: &str| DeltaDiscoveryRequest {
        node: Some(Node { user_agent_name: agent.to_owned(), ..Node::default() }),
        type_url: type_url.to_owned(),
        ..DeltaDiscoveryRequest::default()
    };
    assert!(is_for(&first("somebody", Kind::Cluster.url())));
    assert!(is_for(&first("envoy", "type.googleapis.com/some.other.Type")));
    assert!(!is_for(&first("outrigger-proxy", "type.googleapis.com/outrigger.snapshot.v1.Pool")));
    assert!(!is_for(&first("outrigger-watch", "type.googleapis.com/outrigger.snapshot.v1.Manifest")));
}
