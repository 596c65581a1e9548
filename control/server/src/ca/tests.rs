use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::extensions::GeneralName;

use super::*;

fn authority() -> Authority {
    Authority::create(TrustDomain::new("mesh.local").unwrap()).unwrap()
}

fn weather() -> SpiffeId {
    "spiffe://mesh.local/agent/weather".parse().unwrap()
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn verifies(authority: &Authority, issued: &Issued) -> bool {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(der(authority.certificate_pem())).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    verifier.verify_server_cert(&der(&issued.certificate_pem), &[], &name, &[], UnixTime::now()).is_ok()
}

#[test]
fn a_leaf_names_its_party_and_can_both_serve_and_dial() {
    let issued = authority().issue(&weather(), LEAF_VALIDITY, &LOOPBACK).unwrap();
    let bytes = der(&issued.certificate_pem);
    let (_, leaf) = x509_parser::parse_x509_certificate(&bytes).unwrap();
    let names = leaf.subject_alternative_name().unwrap().unwrap();
    let uris: Vec<_> = names
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::URI(text) => Some(*text),
            _ => None,
        })
        .collect();
    assert_eq!(uris, ["spiffe://mesh.local/agent/weather"]);
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && usage.client_auth);
    assert!(!leaf.is_ca());
    let validity = leaf.validity();
    let seconds = validity.not_after.timestamp() - validity.not_before.timestamp();
    assert_eq!(seconds, 90 * 86_400 + 300, "90 days from now, and backdated by five minutes");
}

#[test]
fn a_leaf_verifies_against_its_authority_and_no_other() {
    let own = authority();
    let issued = own.issue(&weather(), LEAF_VALIDITY, &LOOPBACK).unwrap();
    assert!(verifies(&own, &issued));
    assert!(!verifies(&authority(), &issued));
}

#[test]
fn an_authority_that_was_saved_issues_the_same_chain_after_loading() {
    let folder = tempfile::tempdir().unwrap();
    let made = authority();
    made.save(folder.path()).unwrap();
    let loaded = Authority::load(folder.path()).unwrap();
    assert_eq!(loaded.domain(), made.domain());
    let issued = loaded.issue(&weather(), LEAF_VALIDITY, &LOOPBACK).unwrap();
    assert!(verifies(&made, &issued));
    let mode = std::fs::metadata(folder.path().join("ca.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_authority_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    authority().save(folder.path()).unwrap();
    let before = std::fs::read(folder.path().join("ca.key")).unwrap();
    assert!(matches!(authority().save(folder.path()), Err(CaError::Exists(_))));
    assert_eq!(std::fs::read(folder.path().join("ca.key")).unwrap(), before);
}

#[test]
fn a_key_of_another_authority_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    authority().save(folder.path()).unwrap();
    std::fs::write(folder.path().join("ca.key"), &authority().key_pem).unwrap();
    assert!(matches!(Authority::load(folder.path()), Err(CaError::Mismatch)));
}

#[test]
fn a_leaf_never_outlives_its_authority_nor_leaves_its_domain() {
    let own = authority();
    let issued = own.issue(&weather(), Duration::from_secs(100 * 365 * 86_400), &[]).unwrap();
    let bytes = der(&issued.certificate_pem);
    let (_, leaf) = x509_parser::parse_x509_certificate(&bytes).unwrap();
    let bytes = der(own.certificate_pem());
    let (_, root) = x509_parser::parse_x509_certificate(&bytes).unwrap();
    assert_eq!(leaf.validity().not_after, root.validity().not_after);
    let stranger = "spiffe://other.mesh/agent/weather".parse().unwrap();
    assert!(matches!(own.issue(&stranger, LEAF_VALIDITY, &[]), Err(CaError::OtherDomain { .. })));
}
