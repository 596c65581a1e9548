//! Certificates for the peers' mTLS: one authority, one certificate for both ends.
//!
//! In: a folder. Out: `ca.pem`, `peer.pem`, `peer.key`, and `peer.both.pem` for who wants key and certificate in one file.
//! Outrigger makes its own with `outrigger ca`; both are ECDSA P-256.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// The name in the certificate, which both ends check.
pub const PEER: &str = "peer.test";

#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("certificate cannot be made")]
    Make(#[from] rcgen::Error),
    #[error("certificate cannot be written")]
    Write(#[from] std::io::Error),
}

pub fn write(folder: &Path) -> Result<(), CertificateError> {
    let mut authority = CertificateParams::new(Vec::<String>::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "load tests");
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let authority_key = KeyPair::generate()?;
    let root = authority.self_signed(&authority_key)?;

    let mut peer = CertificateParams::new(vec![PEER.to_owned()])?;
    peer.distinguished_name.push(DnType::CommonName, PEER);
    peer.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    peer.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let peer_key = KeyPair::generate()?;
    let peer = peer.signed_by(&peer_key, &Issuer::new(authority, authority_key))?;

    fs::write(folder.join("ca.pem"), root.pem())?;
    fs::write(folder.join("peer.pem"), peer.pem())?;
    fs::write(folder.join("peer.key"), peer_key.serialize_pem())?;
    fs::write(folder.join("peer.both.pem"), peer.pem() + &peer_key.serialize_pem())?;
    Ok(())
}

#[cfg(test)]
mod tests;
