//! Whom the mesh trusts, as a secret that Envoy asks for by name. It holds no key: certificates of authorities are public.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use envoy_types::pb::envoy::config::core::v3::{DataSource, data_source::Specifier};
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{CertificateValidationContext, Secret, secret};
use outrigger_identity::Material;
use outrigger_model::identity::TrustDomain;

use super::draft::Draft;
use crate::stock::kind::Kind;
use crate::stock::pack::body;

/// The name of the secret.
pub const TRUST: &str = "outrigger_trust";
const PEM_LINE: usize = 64;

/// The authorities of a mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    pub domain: TrustDomain,
    /// Certificates in PEM.
    pub authority: String,
}

impl Trust {
    pub fn of(material: &Material) -> Self {
        let mut authority = String::new();
        for certificate in material.authority() {
            pem(certificate, &mut authority);
        }
        Self { domain: material.domain().clone(), authority }
    }
}

fn pem(certificate: &[u8], out: &mut String) {
    let text = STANDARD.encode(certificate);
    out.push_str("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(PEM_LINE) {
        // Writing to a text cannot fail.
        let _ = writeln!(out, "{}", String::from_utf8_lossy(line));
    }
    out.push_str("-----END CERTIFICATE-----\n");
}

pub fn trust(trust: &Trust) -> Draft {
    let authority =
        DataSource { specifier: Some(Specifier::InlineString(trust.authority.clone())), ..Default::default() };
    let context = CertificateValidationContext { trusted_ca: Some(authority), ..Default::default() };
    let secret = Secret { name: TRUST.to_owned(), r#type: Some(secret::Type::ValidationContext(context)) };
    Draft { kind: Kind::Secret, name: TRUST.into(), body: body(&secret), leads_to: Vec::new() }
}
