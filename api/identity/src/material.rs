//! A party's own certificate, its key, and the authority it trusts.
//!
//! In: three PEM files, or their contents. Out: a [`Material`] that fits together.
//! Never here: making certificates; that is control's `ca`.
//! Invariant: the key belongs to the certificate, the certificate carries one SPIFFE id, and the key is never shown.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use outrigger_model::identity::{SpiffeId, TrustDomain};
use rustls::RootCertStore;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::peer::{PeerError, spiffe_id_of};
use crate::provider::provider;

/// Longest PEM file that is read, in bytes. A chain of a few certificates is a few kilobytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What a party proves itself with, and whom it believes.
#[derive(Clone)]
pub struct Material {
    id: SpiffeId,
    certified: Arc<CertifiedKey>,
    authority: Arc<[CertificateDer<'static>]>,
    roots: Arc<RootCertStore>,
}

/// Why an identity cannot be used. `what` names the file where there is one.
#[derive(Debug, thiserror::Error)]
pub enum MaterialError {
    #[error("{}: unreadable; check the path and its permissions, or make one with `outrigger ca issue`", file.display())]
    Read { file: PathBuf, source: std::io::Error },
    #[error("{}: larger than {FILE_BYTES_MAX} bytes, so it is no PEM file", file.display())]
    Large { file: PathBuf },
    #[error("{what}: holds no PEM certificate; it must contain `-----BEGIN CERTIFICATE-----`")]
    NoCertificate { what: String },
    #[error("{what}: holds no PEM private key; it must contain `-----BEGIN PRIVATE KEY-----`")]
    NoKey { what: String },
    #[error("{what}: a certificate in it is unreadable; make a new one with `outrigger ca issue`")]
    Certificate { what: String },
    #[error(
        "{what}: the key is of no supported kind or does not belong to the certificate; issue both together with `outrigger ca issue`"
    )]
    Mismatch { what: String, source: rustls::Error },
    #[error("{what}: names no party; issue it with `outrigger ca issue`")]
    Identity { what: String, source: PeerError },
}

impl Material {
    /// Reads a certificate chain, its key and the authority's certificates.
    pub fn load(certificate: &Path, key: &Path, authority: &Path) -> Result<Self, MaterialError> {
        let [chain_pem, key_pem, authority_pem] = [read(certificate)?, read(key)?, read(authority)?];
        let shown = |path: &Path| path.display().to_string();
        Self::assemble(
            Named { what: shown(certificate), pem: &chain_pem },
            Named { what: shown(key), pem: &key_pem },
            Named { what: shown(authority), pem: &authority_pem },
        )
    }

    /// The same from PEM text in memory.
    pub fn from_pem(certificate: &str, key: &str, authority: &str) -> Result<Self, MaterialError> {
        Self::assemble(
            Named { what: "certificate".to_owned(), pem: certificate.as_bytes() },
            Named { what: "key".to_owned(), pem: key.as_bytes() },
            Named { what: "authority".to_owned(), pem: authority.as_bytes() },
        )
    }

    fn assemble(certificate: Named<'_>, key: Named<'_>, authority: Named<'_>) -> Result<Self, MaterialError> {
        let chain = certificate.certificates()?;
        let leaf = chain.first().ok_or_else(|| MaterialError::NoCertificate { what: certificate.what.clone() })?;
        let id =
            spiffe_id_of(leaf).map_err(|source| MaterialError::Identity { what: certificate.what.clone(), source })?;
        let private =
            PrivateKeyDer::from_pem_slice(key.pem).map_err(|_| MaterialError::NoKey { what: key.what.clone() })?;
        let certified = CertifiedKey::from_der(chain, private, &provider())
            .map_err(|source| MaterialError::Mismatch { what: key.what, source })?;
        let mut roots = RootCertStore::empty();
        let trusted = authority.certificates()?;
        for root in &trusted {
            roots.add(root.clone()).map_err(|_| MaterialError::Certificate { what: authority.what.clone() })?;
        }
        Ok(Self { id, certified: Arc::new(certified), authority: trusted.into(), roots: Arc::new(roots) })
    }

    /// The party that this material proves.
    pub fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// The trust domain that it belongs to.
    pub fn domain(&self) -> &TrustDomain {
        &self.id.domain
    }

    /// The certificates of the authority that it trusts, which are public.
    pub fn authority(&self) -> &[CertificateDer<'static>] {
        &self.authority
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }

    pub(crate) fn roots(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.roots)
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Material").field("id", &self.id.to_string()).finish_non_exhaustive()
    }
}

/// PEM text with the name that an error shows for it.
struct Named<'a> {
    what: String,
    pem: &'a [u8],
}

impl Named<'_> {
    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, MaterialError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(self.pem)
            .collect::<Result<_, _>>()
            .map_err(|_| MaterialError::Certificate { what: self.what.clone() })?;
        if chain.is_empty() {
            return Err(MaterialError::NoCertificate { what: self.what.clone() });
        }
        Ok(chain)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, MaterialError> {
    let failed = |source| MaterialError::Read { file: path.to_owned(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(MaterialError::Large { file: path.to_owned() });
    }
    std::fs::read(path).map_err(failed)
}

#[cfg(test)]
mod tests;
