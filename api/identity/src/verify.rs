//! Checks the other side of a TLS connection: its chain against our authority, its SPIFFE id against what we expect.
//!
//! In: the certificates of a peer, and an [`Expected`]. Out: rustls verifiers.
//! Never here: host names. An endpoint is its SPIFFE id, wherever it listens.
//! Invariant: what passes has a chain to our roots, is valid now, and carries one SPIFFE id that was expected.

use std::fmt;
use std::sync::Arc;

use outrigger_model::identity::{Party, SpiffeId, TrustDomain};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::material::Material;
use crate::peer::{PeerError, spiffe_id_of};
use crate::provider::provider;

/// What a party is for, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A proxy, of one agent or of a whole node.
    Proxy,
    /// A person or a script that reads and watches.
    Operator,
    /// The control service.
    Control,
}

/// Whom we are willing to talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// This party and no other.
    Exactly(SpiffeId),
    /// Any party of this trust domain that has one of these roles.
    AnyOf(TrustDomain, &'static [Role]),
}

impl Role {
    pub fn of(party: &Party) -> Self {
        match party {
            Party::Agent(_) | Party::Node(_) => Self::Proxy,
            Party::Operator(_) => Self::Operator,
            Party::Control => Self::Control,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Operator => "operator",
            Self::Control => "control",
        }
    }
}

impl Expected {
    /// Any proxy of a trust domain.
    pub fn proxies(domain: TrustDomain) -> Self {
        Self::AnyOf(domain, &[Role::Proxy])
    }

    /// Whoever may connect to control: proxies and operators of a trust domain.
    pub fn callers_of_control(domain: TrustDomain) -> Self {
        Self::AnyOf(domain, &[Role::Proxy, Role::Operator])
    }

    pub fn accepts(&self, id: &SpiffeId) -> bool {
        match self {
            Self::Exactly(expected) => expected == id,
            Self::AnyOf(domain, roles) => *domain == id.domain && roles.contains(&Role::of(&id.party)),
        }
    }

    /// Reads the id of a certificate whose chain was checked, and compares it.
    pub fn check(&self, certificate: &[u8]) -> Result<SpiffeId, PeerError> {
        let found = spiffe_id_of(certificate)?;
        if self.accepts(&found) {
            return Ok(found);
        }
        Err(PeerError::Unexpected { found: found.to_string(), expected: self.to_string() })
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(id) => write!(out, "{id}"),
            Self::AnyOf(domain, roles) => {
                let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
                write!(out, "a {} of {domain}", names.join(" or "))
            }
        }
    }
}

/// Checks servers that we connect to.
#[derive(Debug)]
pub(crate) struct ServerVerifier {
    roots: Arc<RootCertStore>,
    expected: Expected,
    provider: Arc<CryptoProvider>,
}

impl ServerVerifier {
    pub(crate) fn new(material: &Material, expected: Expected) -> Self {
        Self { roots: material.roots(), expected, provider: provider() }
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        rustls::client::verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            intermediates,
            now,
            algorithms,
        )?;
        self.expected.check(end_entity).map_err(refused)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Checks clients that connect to us. One without a certificate is refused.
#[derive(Debug)]
pub(crate) struct ClientVerifier {
    chain: Arc<dyn ClientCertVerifier>,
    expected: Expected,
}

impl ClientVerifier {
    pub(crate) fn new(material: &Material, expected: Expected) -> Result<Self, VerifierBuilderError> {
        let chain = WebPkiClientVerifier::builder_with_provider(material.roots(), provider()).build()?;
        Ok(Self { chain, expected })
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self.chain.verify_client_cert(end_entity, intermediates, now)?;
        self.expected.check(end_entity).map_err(refused)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

fn refused(error: PeerError) -> rustls::Error {
    CertificateError::Other(OtherError(Arc::new(error))).into()
}

#[cfg(test)]
mod tests;
