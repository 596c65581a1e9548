//! Who is at the other end of a request, and whether it may speak at all.
//!
//! In: what the accepting end noted about the connection. Out: a [`Peer`], or the status that refuses it.
//! Never here: what a peer may register; the core judges that claim by claim.
//! Invariant: without a proven identity nobody is heard, except over loopback or in a mesh that runs insecure.

use std::net::IpAddr;

use outrigger_control_core::snapshot::scope::Audience;
use outrigger_identity::PeerInfo;
use outrigger_model::identity::{Party, SpiffeId};
use outrigger_wire::watcher::Role;
use tonic::{Extensions, Status};

/// Whom control listens to without a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plaintext {
    Loopback,
    /// `insecure: true`.
    Anywhere,
}

/// The other end, as its connection proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    pub identity: Option<SpiffeId>,
    pub from: IpAddr,
}

/// The peer of a request.
pub fn peer(extensions: &Extensions, plaintext: Plaintext) -> Result<Peer, Status> {
    let info = extensions.get::<PeerInfo>();
    let info = info.ok_or_else(|| Status::internal("the connection of this request is not known"))?;
    let from = info.remote.ip().to_canonical();
    if info.id.is_none() && plaintext == Plaintext::Loopback && !from.is_loopback() {
        return Err(Status::unauthenticated(
            "plaintext is served over loopback only; use a certificate, or set `insecure: true` on control",
        ));
    }
    Ok(Peer { identity: info.id.clone(), from })
}

impl Peer {
    /// What it may see. A watcher that says it is a proxy gets keys if nothing that it proves speaks against it.
    pub fn audience(&self, role: Role) -> Audience {
        let party = self.identity.as_ref().map(|identity| &identity.party);
        match (role, party) {
            (Role::Proxy, None | Some(Party::Agent(_) | Party::Node(_))) => Audience::Proxies,
            _ => Audience::Observers,
        }
    }

    /// Whether it may plan and publish what operators declare.
    pub fn must_be_operator(&self) -> Result<(), Status> {
        match &self.identity {
            None | Some(SpiffeId { party: Party::Operator(_), .. }) => Ok(()),
            Some(other) => Err(Status::permission_denied(format!(
                "{other} may not change what operators declare; that needs an identity of the form …/operator/<name>"
            ))),
        }
    }

    /// Whether it may report replicas.
    pub fn must_be_proxy(&self) -> Result<(), Status> {
        match &self.identity {
            None | Some(SpiffeId { party: Party::Agent(_) | Party::Node(_), .. }) => Ok(()),
            Some(other) => Err(Status::permission_denied(format!(
                "{other} may watch and not register; a proxy needs an identity of the form …/agent/<name> or …/node/<name>"
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
