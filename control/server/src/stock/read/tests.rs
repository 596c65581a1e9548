use super::*;

fn sotw(type_url: &str) -> DiscoveryRequest {
    DiscoveryRequest { type_url: type_url.to_owned(), ..DiscoveryRequest::default() }
}

#[test]
fn b1_a_request_without_a_type_is_refused_and_b8_one_of_an_unknown_type_is_passed_over() {
    assert_eq!(ask(sotw("")).unwrap_err().code(), tonic::Code::InvalidArgument);
    assert!(ask(sotw("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig")).unwrap().is_none());
    assert!(ask(sotw("type.googleapis.com/outrigger.snapshot.v1.Pool")).unwrap().is_none());
}

#[test]
fn both_variants_say_the_same_in_their_own_way() {
    let error = Some(rpc::Status { code: 3, message: "no".repeat(1_000) });
    let request = DiscoveryRequest {
        resource_names: vec!["a".into()],
        response_nonce: "1.1".into(),
        error_detail: error.clone(),
        ..sotw(Kind::Route.url())
    };
    let asked = ask(request).unwrap().unwrap();
    assert!(matches!(asked.names, Names::All(names) if names == ["a"]));
    assert_eq!((asked.kind, asked.nonce.as_str(), asked.refusal.map(|it| it.len())), (Kind::Route, "1.1", Some(512)));
    let request = DeltaDiscoveryRequest {
        type_url: Kind::Cluster.url().into(),
        resource_names_subscribe: vec!["a".into()],
        resource_names_unsubscribe: vec!["b".into()],
        initial_resource_versions: [("c".to_owned(), "not ours".to_owned())].into(),
        ..DeltaDiscoveryRequest::default()
    };
    let Names::Change { subscribe, unsubscribe, held } = ask(request).unwrap().unwrap().names else {
        panic!("a change")
    };
    assert_eq!((subscribe, unsubscribe), (vec!["a".to_owned()], vec!["b".to_owned()]));
    assert_eq!(held, [("c".to_owned(), None)].into());
}

#[test]
fn a_name_that_is_too_long_ends_the_stream() {
    let long = DiscoveryRequest { resource_names: vec!["x".repeat(257)], ..sotw(Kind::Listener.url()) };
    assert_eq!(ask(long).unwrap_err().code(), tonic::Code::InvalidArgument);
}

#[test]
fn who_comes_back_says_what_it_has() {
    let version = "0a1b2c3d.42-9f86d081884c";
    let request = DiscoveryRequest { version_info: format!("{version}+2"), ..sotw(Kind::Cluster.url()) };
    assert_eq!(request.reported(), [version.parse().unwrap()]);
    assert_eq!(sotw(Kind::Cluster.url()).reported(), []);
    let held = [("a".to_owned(), version.to_owned()), ("b".to_owned(), "not ours".to_owned())];
    let request = DeltaDiscoveryRequest { initial_resource_versions: held.into(), ..DeltaDiscoveryRequest::default() };
    assert_eq!(request.reported(), [version.parse().unwrap()]);
}
