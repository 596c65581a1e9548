use outrigger_model::resource::ResourceKind;
use outrigger_wire::kind::type_url;

use super::*;

fn request(url: &str) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest { type_url: url.to_owned(), ..DeltaDiscoveryRequest::default() }
}

#[test]
fn b1_a_request_without_a_type_is_refused() {
    assert_eq!(ask(request("")).unwrap_err().code(), tonic::Code::InvalidArgument);
}

#[test]
fn b8_an_unknown_type_is_ignored() {
    assert!(ask(request("type.googleapis.com/envoy.config.cluster.v3.Cluster")).unwrap().is_none());
}

#[test]
fn d7_tokens_that_cannot_be_ours_are_told_apart_from_none() {
    let mut request = request(type_url(ResourceKind::Route));
    request.initial_resource_versions.insert("a".to_owned(), "00000001.2-0123456789ab".to_owned());
    request.initial_resource_versions.insert("b".to_owned(), "v7".to_owned());
    let ask = ask(request).unwrap().unwrap();
    assert!(ask.held["a"].is_some());
    assert_eq!(ask.held["b"], None);
}

#[test]
fn the_presence_of_an_error_makes_a_refusal_even_if_it_says_nothing() {
    let mut request = request(MANIFEST_TYPE_URL);
    request.error_detail = Some(outrigger_wire::proto::rpc::Status::default());
    assert_eq!(ask(request).unwrap().unwrap().refusal, Some(String::new()));
}
