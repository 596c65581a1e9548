use super::*;

fn certificate_with(uris: &[&str]) -> Vec<u8> {
    let mut parameters = rcgen::CertificateParams::default();
    parameters.subject_alt_names =
        uris.iter().map(|uri| rcgen::SanType::URI((*uri).try_into().expect("ascii"))).collect();
    let key = rcgen::KeyPair::generate().expect("key");
    parameters.self_signed(&key).expect("certificate").der().to_vec()
}

#[test]
fn the_single_uri_of_a_certificate_is_its_identity() {
    let found = spiffe_id_of(&certificate_with(&["spiffe://mesh.local/agent/weather"])).expect("id");
    assert_eq!(found.to_string(), "spiffe://mesh.local/agent/weather");
}

#[test]
fn a_certificate_with_no_uri_or_with_two_names_nobody() {
    assert_eq!(spiffe_id_of(&certificate_with(&[])), Err(PeerError::UriNames(0)));
    let two = certificate_with(&["spiffe://mesh.local/agent/weather", "spiffe://mesh.local/control"]);
    assert_eq!(spiffe_id_of(&two), Err(PeerError::UriNames(2)));
}

#[test]
fn a_uri_that_is_no_party_of_a_mesh_names_nobody() {
    let foreign = certificate_with(&["spiffe://mesh.local/ns/default/sa/weather"]);
    assert!(matches!(spiffe_id_of(&foreign), Err(PeerError::Identity(_))));
}

#[test]
fn bytes_that_are_no_certificate_are_unreadable() {
    assert_eq!(spiffe_id_of(b"not a certificate"), Err(PeerError::Unreadable));
}
