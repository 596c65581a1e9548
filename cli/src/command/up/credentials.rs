//! An authority for as long as one `outrigger up` runs.
//!
//! The keys of control and the proxy stay in memory. The one of the operator is in a folder that only this user can
//! read, so that `outrigger watch` can prove who it is from another terminal; the folder goes when this goes.

use std::path::PathBuf;
use std::time::Duration;

use outrigger_control::ca::{Authority, LOOPBACK};
use outrigger_identity::Material;
use outrigger_model::identity::{SpiffeId, TrustDomain};

use crate::problem::Problem;

const DOMAIN: &str = "local";
// Nobody runs a laptop's mesh for longer, and the keys die with the process anyway.
const VALIDITY: Duration = Duration::from_secs(30 * 86_400);

/// Identities of everyone who takes part.
pub struct Credentials {
    pub control: Material,
    pub proxy: Material,
    folder: Folder,
}

/// Removes itself.
struct Folder(PathBuf);

impl Credentials {
    pub fn make() -> Result<Self, Problem> {
        make().map_err(|cause| Problem::failed("identities for the mesh cannot be made").because(cause))
    }

    /// For `outrigger watch --identity`.
    pub fn operator(&self) -> PathBuf {
        self.folder.0.join("you.pem")
    }
}

fn make() -> Result<Credentials, Box<dyn std::error::Error + Send + Sync>> {
    let authority = Authority::create(TrustDomain::new(DOMAIN)?)?;
    let folder = Folder::make()?;
    authority.issue(&id("operator/you")?, VALIDITY, &[])?.save(&folder.0, "you")?;
    std::fs::write(folder.0.join("ca.pem"), authority.certificate_pem())?;
    Ok(Credentials {
        control: material(&authority, "control", &LOOPBACK)?,
        proxy: material(&authority, "node/up", &[])?,
        folder,
    })
}

fn material(
    authority: &Authority,
    party: &str,
    hosts: &[&str],
) -> Result<Material, Box<dyn std::error::Error + Send + Sync>> {
    let issued = authority.issue(&id(party)?, VALIDITY, hosts)?;
    Ok(Material::from_pem(&issued.certificate_pem, &issued.key_pem, authority.certificate_pem())?)
}

fn id(party: &str) -> Result<SpiffeId, outrigger_model::identity::BadIdentity> {
    format!("spiffe://{DOMAIN}/{party}").parse()
}

impl Folder {
    fn make() -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let name = format!("outrigger-up-{}-{:08x}", std::process::id(), fastrand::u32(..));
        let path = std::env::temp_dir().join(name);
        // Fails if it exists: a folder that somebody else made would be readable by them.
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing can be done about a folder that does not go, and what is in it expires.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests;
