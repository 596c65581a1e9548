//! Reads the SPIFFE id of a certificate.
//!
//! In: one certificate in DER. Out: its [`SpiffeId`].
//! Source: X.509-SVID, section 2: an SVID has exactly one URI SAN, and it is the SPIFFE id.
//! Never here: trust. The chain is checked in `verify`; an id read here is a claim until then.

use outrigger_model::identity::{BadIdentity, SpiffeId};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Why a certificate names no party of a mesh.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    #[error("the certificate is unreadable")]
    Unreadable,
    #[error("the certificate carries {0} URI names, and must carry exactly one: its SPIFFE id")]
    UriNames(usize),
    #[error("the URI name of the certificate is not an identity of this mesh")]
    Identity(#[from] BadIdentity),
    #[error("the peer is {found}, and {expected} was expected")]
    Unexpected { found: String, expected: String },
}

/// The SPIFFE id in the single URI SAN of a certificate.
pub fn spiffe_id_of(certificate: &[u8]) -> Result<SpiffeId, PeerError> {
    let (rest, parsed) = X509Certificate::from_der(certificate).map_err(|_| PeerError::Unreadable)?;
    if !rest.is_empty() {
        return Err(PeerError::Unreadable);
    }
    let names = parsed.subject_alternative_name().map_err(|_| PeerError::Unreadable)?;
    let uris: Vec<&str> = names
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| if let GeneralName::URI(uri) = name { Some(*uri) } else { None })
        .collect();
    match uris.as_slice() {
        [uri] => Ok(uri.parse()?),
        other => Err(PeerError::UriNames(other.len())),
    }
}

#[cfg(test)]
mod tests;
