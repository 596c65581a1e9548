//! The TLS configuration with which others connect to us.
//!
//! In: our [`Material`] and whom we let in. Out: a rustls `ServerConfig` that demands a client certificate.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::VerifierBuilderError;
use rustls::sign::SingleCertAndKey;

use crate::client::Application;
use crate::material::Material;
use crate::provider::provider;
use crate::verify::{ClientVerifier, Expected};

/// Why no server configuration can be made of a material.
#[derive(Debug, thiserror::Error)]
pub enum ServerConfigError {
    #[error("the authority file cannot verify clients")]
    Verifier(#[from] VerifierBuilderError),
    #[error("no TLS configuration can be made")]
    Tls(#[from] rustls::Error),
}

/// A configuration that presents our certificate and accepts only clients that prove to be `expected`.
pub fn server_config(
    material: &Material,
    expected: Expected,
    application: Application,
) -> Result<ServerConfig, ServerConfigError> {
    let verifier = ClientVerifier::new(material, expected)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(material.certified())));
    config.alpn_protocols = application.alpn();
    Ok(config)
}
