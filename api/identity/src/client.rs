//! The TLS configuration with which we connect to others.
//!
//! In: our [`Material`] and whom we expect. Out: a rustls `ClientConfig`.

use std::sync::Arc;

use outrigger_model::identity::SpiffeId;
use rustls::ClientConfig;
use rustls::sign::SingleCertAndKey;
use rustls_pki_types::{DnsName, ServerName};

use crate::material::Material;
use crate::provider::provider;
use crate::verify::{Expected, ServerVerifier};

/// What is spoken inside the connection; becomes its ALPN name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Application {
    /// HTTP/1.1, between proxies.
    Http1,
    /// HTTP/2, to and in control.
    Http2,
    /// Either; a server takes HTTP/2 from who offers both.
    Either,
}

impl Application {
    pub(crate) fn alpn(self) -> Vec<Vec<u8>> {
        match self {
            Self::Http1 => vec![b"http/1.1".to_vec()],
            Self::Http2 => vec![b"h2".to_vec()],
            Self::Either => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        }
    }
}

/// A configuration that presents our certificate and accepts only servers that are `expected`.
pub fn client_config(
    material: &Material,
    expected: Expected,
    application: Application,
) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ServerVerifier::new(material, expected)))
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(material.certified())));
    config.alpn_protocols = application.alpn();
    // The name we would send is no host name; it only separates resumable sessions of different parties.
    config.enable_sni = false;
    Ok(config)
}

/// The name under which rustls keeps resumable sessions with one party; it is never sent and never checked.
pub fn server_name_of(id: &SpiffeId) -> ServerName<'static> {
    let digest = outrigger_model::digest::Digest::of(id.to_string().as_bytes()).to_string();
    let label: String = digest.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    match DnsName::try_from(format!("p{label}.invalid")) {
        Ok(name) => ServerName::DnsName(name),
        // Unreachable: letters and digits make a label. An address keeps the function total, and shares no session wrongly
        // because a resumed session still carries the certificate that is compared afterwards.
        Err(_) => ServerName::IpAddress(std::net::Ipv4Addr::UNSPECIFIED.into()),
    }
}
