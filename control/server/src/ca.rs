//! The built-in authority: one self-signed root that issues the certificates of one mesh.
//!
//! In: a trust domain, the SPIFFE id of a party. Out: PEM for that party and for those who verify it.
//! Never here: renewal, revocation, an intermediate; a mesh that needs them brings its own authority.
//! Invariant: a leaf names exactly one SPIFFE id, of the authority's own domain, and never outlives the authority.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use outrigger_model::identity::{BadIdentity, SpiffeId, TrustDomain};
use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rcgen::{KeyUsagePurpose, SanType};

/// How long a leaf is valid unless the caller says otherwise.
pub const LEAF_VALIDITY: Duration = Duration::from_secs(90 * 86_400);
/// Host names for parties that are also dialled by stock tools over loopback.
pub const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

const AUTHORITY_VALIDITY: Duration = Duration::from_secs(3_652 * 86_400);
// Machines of one mesh disagree about the time; a fresh certificate must be good on the slowest of them.
const BACKDATE: Duration = Duration::from_secs(300);
const CERTIFICATE_FILE: &str = "ca.pem";
const KEY_FILE: &str = "ca.key";

/// Holds the root key; whoever has it can speak for every party of the mesh.
pub struct Authority {
    domain: TrustDomain,
    certificate_pem: String,
    key_pem: String,
    issuer: Issuer<'static, KeyPair>,
    not_after: SystemTime,
}

/// A certificate and its key, both PEM.
#[derive(Clone)]
pub struct Issued {
    /// The leaf alone: its issuer is the trust anchor, which every verifier already holds.
    pub certificate_pem: String,
    pub key_pem: String,
}

#[derive(Debug, thiserror::Error)]
pub enum CaError {
    #[error("{} exists already; an authority is never overwritten, choose another folder or remove it yourself", .0.display())]
    Exists(PathBuf),
    #[error("{}: cannot be read; make an authority with `outrigger ca init`", path.display())]
    Read {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("{}: cannot be written", path.display())]
    Write {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("the authority's certificate is not one that `outrigger ca init` made: {0}")]
    Foreign(&'static str),
    #[error("the authority's certificate names a bad trust domain")]
    Domain(#[source] BadIdentity),
    #[error("the authority's certificate and key do not belong together")]
    Mismatch,
    #[error("identity {id} is not of this authority's domain `{domain}`")]
    OtherDomain { id: SpiffeId, domain: TrustDomain },
    #[error("`{0}` can be neither an address nor a host name in a certificate")]
    Host(String),
    #[error("making a certificate failed")]
    Make(#[from] rcgen::Error),
}

impl Authority {
    pub fn create(domain: TrustDomain) -> Result<Self, CaError> {
        let key = KeyPair::generate()?;
        let now = SystemTime::now();
        let not_after = now + AUTHORITY_VALIDITY;
        let mut params = CertificateParams::default();
        params.not_before = (now - BACKDATE).into();
        params.not_after = not_after.into();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        common_name(&mut params, format!("outrigger authority {}", domain.as_str()));
        params.subject_alt_names = vec![uri(format!("spiffe://{domain}"))?];
        let certificate_pem = params.self_signed(&key)?.pem();
        let key_pem = key.serialize_pem();
        Ok(Self { domain, certificate_pem, key_pem, issuer: Issuer::new(params, key), not_after })
    }

    /// Reads what [`Authority::save`] wrote.
    pub fn load(folder: &Path) -> Result<Self, CaError> {
        let certificate_pem = read(folder.join(CERTIFICATE_FILE))?;
        let key_pem = read(folder.join(KEY_FILE))?;
        let (_, pem) = x509_parser::pem::parse_x509_pem(certificate_pem.as_bytes())
            .map_err(|_| CaError::Foreign("it is not PEM"))?;
        let certificate = pem.parse_x509().map_err(|_| CaError::Foreign("it is not X.509"))?;
        let key = KeyPair::from_pem(&key_pem)?;
        if certificate.public_key().raw != rcgen::PublicKeyData::subject_public_key_info(&key) {
            return Err(CaError::Mismatch);
        }
        let domain = domain_of(&certificate)?;
        let not_after = certificate.validity().not_after.to_datetime().into();
        let issuer = Issuer::from_ca_cert_pem(&certificate_pem, key)?;
        Ok(Self { domain, certificate_pem, key_pem, issuer, not_after })
    }

    /// Writes `ca.pem` and `ca.key` (0600) into `folder`, which is made if it is not there.
    pub fn save(&self, folder: &Path) -> Result<(), CaError> {
        std::fs::create_dir_all(folder).map_err(|cause| CaError::Write { path: folder.to_owned(), cause })?;
        let certificate = folder.join(CERTIFICATE_FILE);
        if certificate.exists() {
            return Err(CaError::Exists(certificate));
        }
        write_new(folder.join(KEY_FILE), &self.key_pem, 0o600)?;
        write_new(certificate, &self.certificate_pem, 0o644)
    }

    pub fn domain(&self) -> &TrustDomain {
        &self.domain
    }

    /// What every party verifies the others with.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A certificate for one party. `hosts` are addresses or names beside the SPIFFE id, such as [`LOOPBACK`].
    pub fn issue(&self, id: &SpiffeId, validity: Duration, hosts: &[&str]) -> Result<Issued, CaError> {
        if id.domain != self.domain {
            return Err(CaError::OtherDomain { id: id.clone(), domain: self.domain.clone() });
        }
        let now = SystemTime::now();
        let wanted = now.checked_add(validity).unwrap_or(self.not_after);
        let mut params = CertificateParams::default();
        params.not_before = (now - BACKDATE).into();
        params.not_after = wanted.min(self.not_after).into();
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        common_name(&mut params, id.to_string());
        params.subject_alt_names = vec![uri(id.to_string())?];
        for host in hosts {
            params.subject_alt_names.push(match host.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(ia5(host)?),
            });
        }
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
    }
}

impl Issued {
    /// Writes `<stem>.pem` and `<stem>.key` (0600) into `folder`; refuses to replace either.
    pub fn save(&self, folder: &Path, stem: &str) -> Result<(PathBuf, PathBuf), CaError> {
        let certificate = folder.join(format!("{stem}.pem"));
        let key = folder.join(format!("{stem}.key"));
        if certificate.exists() {
            return Err(CaError::Exists(certificate));
        }
        std::fs::create_dir_all(folder).map_err(|cause| CaError::Write { path: folder.to_owned(), cause })?;
        write_new(key.clone(), &self.key_pem, 0o600)?;
        write_new(certificate.clone(), &self.certificate_pem, 0o644)?;
        Ok((certificate, key))
    }
}

fn common_name(params: &mut CertificateParams, text: String) {
    params.distinguished_name = rcgen::DistinguishedName::new();
    // X.520 ends a common name at 64 characters; strict parsers refuse longer ones.
    let text: String = text.chars().take(64).collect();
    params.distinguished_name.push(DnType::CommonName, DnValue::Utf8String(text));
}

fn ia5(text: &str) -> Result<Ia5String, CaError> {
    Ia5String::try_from(text).map_err(|_| CaError::Host(text.to_owned()))
}

fn uri(text: String) -> Result<SanType, CaError> {
    Ok(SanType::URI(ia5(&text)?))
}

fn domain_of(certificate: &x509_parser::certificate::X509Certificate<'_>) -> Result<TrustDomain, CaError> {
    let names = certificate
        .subject_alternative_name()
        .ok()
        .flatten()
        .ok_or(CaError::Foreign("it has no subject alternative name"))?;
    let domain = names.value.general_names.iter().find_map(|name| match name {
        x509_parser::extensions::GeneralName::URI(text) => text.strip_prefix("spiffe://"),
        _ => None,
    });
    TrustDomain::new(domain.ok_or(CaError::Foreign("it names no trust domain"))?).map_err(CaError::Domain)
}

fn read(path: PathBuf) -> Result<String, CaError> {
    std::fs::read_to_string(&path).map_err(|cause| CaError::Read { path, cause })
}

fn write_new(path: PathBuf, text: &str, mode: u32) -> Result<(), CaError> {
    use std::os::unix::fs::OpenOptionsExt;
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|cause| match cause.kind() {
        std::io::ErrorKind::AlreadyExists => CaError::Exists(path),
        _ => CaError::Write { path, cause },
    })
}

#[cfg(test)]
mod tests;
