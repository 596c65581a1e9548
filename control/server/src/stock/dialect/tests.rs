use std::collections::BTreeMap;

use prost_types::Struct;

use super::*;

fn node(agent: &str, metadata: &[(&str, Said)]) -> Node {
    let field = |(name, said): &(&str, Said)| ((*name).to_owned(), Value { kind: Some(said.clone()) });
    let fields: BTreeMap<_, _> = metadata.iter().map(field).collect();
    Node { user_agent_name: agent.to_owned(), metadata: Some(Struct { fields }), ..Node::default() }
}

fn said(text: &str) -> Said {
    Said::StringValue(text.to_owned())
}

#[test]
fn a_client_is_what_it_calls_itself() {
    assert_eq!(Dialect::of(&node("gRPC C-core linux Python", &[])), Ok(Dialect::Grpc));
    assert_eq!(Dialect::of(&node("envoy", &[])), Ok(Dialect::Envoy(Envoy::default())));
    assert!(is_stock("envoy") && is_stock("gRPC Node Pure JS") && !is_stock("outrigger-watch"));
}

#[test]
fn an_envoy_says_where_it_listens_and_where_its_certificate_is() {
    let metadata =
        [("listen", said("0.0.0.0:80")), ("certificate", said("own")), ("certificate_file", said("/a.yaml"))];
    let Ok(Dialect::Envoy(envoy)) = Dialect::of(&node("envoy", &metadata)) else { panic!("an Envoy") };
    assert_eq!((envoy.listen.port(), envoy.certificate.as_str()), (80, "own"));
    assert_eq!(envoy.certificate_file.as_deref(), Some("/a.yaml"));
}

#[test]
fn what_cannot_be_meant_is_named() {
    let bad = |field: &str, said: Said| Dialect::of(&node("envoy", &[(field, said)])).unwrap_err().to_string();
    assert!(bad("listen", said("here")).starts_with("node.metadata.listen: `here`"));
    assert!(bad("listen", Said::NumberValue(80.0)).starts_with("node.metadata.listen"));
    assert!(bad("certificate", said("")).starts_with("node.metadata.certificate"));
    assert!(bad("certificate_file", said(&"x".repeat(257))).starts_with("node.metadata.certificate_file"));
}

#[test]
fn dialects_that_differ_have_different_digests() {
    let with = |listen: &str| Dialect::Envoy(Envoy { listen: listen.parse().unwrap(), ..Envoy::default() });
    assert_ne!(with("127.0.0.1:1").digest(), with("127.0.0.1:2").digest());
    assert_eq!(with("127.0.0.1:1").digest(), with("127.0.0.1:1").digest());
    assert_ne!(Dialect::Grpc.digest(), Dialect::Envoy(Envoy::default()).digest());
}
