//! One resource of any kind: a tagged value, and how it becomes bytes and comes back.
//!
//! Invariant: a resource whose body names it differently from its envelope is refused.

use outrigger_model::agent::Agent;
use outrigger_model::capability::Capability;
use outrigger_model::pool::{Endpoints, Pool};
use outrigger_model::resource::ResourceKind;
use outrigger_model::revocation::Revocations;
use outrigger_model::route::Route;
use outrigger_model::secret::Keyring;
use outrigger_model::settings::Settings;
use outrigger_model::snapshot::Kinds;
use outrigger_model::wiring::Wiring;
use prost::Message;

use crate::error::{DecodeError, Wrong, cut};
use crate::kind::SELF;
use crate::limit::BODY_BYTES_MAX;
use crate::{decode, encode};

/// A resource of a snapshot.
#[expect(clippy::large_enum_variant, reason = "made, read and dropped one at a time; none is kept")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    Settings(Settings),
    Keyring(Keyring),
    Revocations(Revocations),
    Agent(Agent),
    Capability(Capability),
    Pool(Pool),
    Endpoints(Endpoints),
    Route(Route),
    Wiring(Wiring),
}

impl Resource {
    pub const fn kind(&self) -> ResourceKind {
        match self {
            Self::Settings(_) => ResourceKind::Settings,
            Self::Keyring(_) => ResourceKind::Keyring,
            Self::Revocations(_) => ResourceKind::Revocations,
            Self::Agent(_) => ResourceKind::Agent,
            Self::Capability(_) => ResourceKind::Capability,
            Self::Pool(_) => ResourceKind::Pool,
            Self::Endpoints(_) => ResourceKind::Endpoints,
            Self::Route(_) => ResourceKind::Route,
            Self::Wiring(_) => ResourceKind::Wiring,
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Settings(_) | Self::Keyring(_) | Self::Revocations(_) => SELF,
            Self::Agent(agent) => agent.name.as_str(),
            Self::Capability(capability) => capability.name.as_str(),
            Self::Pool(pool) => pool.name.as_str(),
            Self::Endpoints(endpoints) => endpoints.pool.as_str(),
            Self::Route(route) => route.name.as_str(),
            Self::Wiring(wiring) => wiring.route.as_str(),
        }
    }

    /// The canonical bytes: equal resources, equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Settings(settings) => encode::settings::settings(settings).encode_to_vec(),
            Self::Keyring(keyring) => encode::keyring::keyring(keyring).encode_to_vec(),
            Self::Revocations(all) => encode::revocations::revocations(all).encode_to_vec(),
            Self::Agent(agent) => encode::agent::agent(agent).encode_to_vec(),
            Self::Capability(capability) => encode::capability::capability(capability).encode_to_vec(),
            Self::Pool(pool) => encode::pool::pool(pool).encode_to_vec(),
            Self::Endpoints(endpoints) => encode::endpoints::endpoints(endpoints).encode_to_vec(),
            Self::Route(route) => encode::route::route(route).encode_to_vec(),
            Self::Wiring(wiring) => encode::wiring::wiring(wiring).encode_to_vec(),
        }
    }

    /// Reads the body of the resource that its envelope calls `name`. Error paths start at `Kind/name`.
    pub fn decode(kind: ResourceKind, name: &str, bytes: &[u8]) -> Result<Self, DecodeError> {
        let resource = Self::decode_body(kind, bytes).and_then(|resource| {
            if resource.name() == name {
                return Ok(resource);
            }
            let field = match kind {
                ResourceKind::Endpoints => "pool",
                ResourceKind::Wiring => "route",
                _ => "name",
            };
            let wrong = Wrong::Other { found: resource.name().to_owned(), expected: cut(name) };
            Err(DecodeError::field(field, wrong))
        });
        resource.map_err(|bad| bad.inside_resource(kind.as_str(), name))
    }

    fn decode_body(kind: ResourceKind, bytes: &[u8]) -> Result<Self, DecodeError> {
        match kind {
            ResourceKind::Settings => decode::settings::settings(message(bytes)?).map(Self::Settings),
            ResourceKind::Keyring => decode::keyring::keyring(message(bytes)?).map(Self::Keyring),
            ResourceKind::Revocations => decode::revocations::revocations(message(bytes)?).map(Self::Revocations),
            ResourceKind::Agent => decode::agent::agent(message(bytes)?).map(Self::Agent),
            ResourceKind::Capability => decode::capability::capability(message(bytes)?).map(Self::Capability),
            ResourceKind::Pool => decode::pool::pool(message(bytes)?).map(Self::Pool),
            ResourceKind::Endpoints => decode::endpoints::endpoints(message(bytes)?).map(Self::Endpoints),
            ResourceKind::Route => decode::route::route(message(bytes)?).map(Self::Route),
            ResourceKind::Wiring => decode::wiring::wiring(message(bytes)?).map(Self::Wiring),
        }
    }

    /// Puts it into a set, in place of the one of the same kind and name.
    pub fn put(self, resources: &mut Kinds) {
        match self {
            Self::Settings(settings) => resources.settings = settings,
            Self::Keyring(keyring) => resources.keyring = keyring,
            Self::Revocations(all) => resources.revocations = all,
            Self::Agent(agent) => drop(resources.agents.insert(agent.name.clone(), agent)),
            Self::Capability(capability) => {
                resources.capabilities.insert(capability.name.clone(), capability);
            }
            Self::Pool(pool) => drop(resources.pools.insert(pool.name.clone(), pool)),
            Self::Endpoints(endpoints) => drop(resources.endpoints.insert(endpoints.pool.clone(), endpoints)),
            Self::Route(route) => drop(resources.routes.insert(route.name.clone(), route)),
            Self::Wiring(wiring) => drop(resources.wirings.insert(wiring.route.clone(), wiring)),
        }
    }

    /// Takes the resource of that kind and name out of a set; those of which there is one fall back to their defaults.
    pub fn take(kind: ResourceKind, name: &str, resources: &mut Kinds) {
        match kind {
            ResourceKind::Settings => resources.settings = Settings::default(),
            ResourceKind::Keyring => resources.keyring = Keyring::default(),
            ResourceKind::Revocations => resources.revocations = Revocations::default(),
            ResourceKind::Agent => drop(resources.agents.remove(name)),
            ResourceKind::Capability => drop(resources.capabilities.remove(name)),
            ResourceKind::Pool => drop(resources.pools.remove(name)),
            ResourceKind::Endpoints => drop(resources.endpoints.remove(name)),
            ResourceKind::Route => drop(resources.routes.remove(name)),
            ResourceKind::Wiring => drop(resources.wirings.remove(name)),
        }
    }
}

/// The resource of that kind and name in a set.
pub fn find(kind: ResourceKind, name: &str, resources: &Kinds) -> Option<Resource> {
    match kind {
        ResourceKind::Settings => (name == SELF).then(|| Resource::Settings(resources.settings.clone())),
        ResourceKind::Keyring => (name == SELF).then(|| Resource::Keyring(resources.keyring.clone())),
        ResourceKind::Revocations => (name == SELF).then(|| Resource::Revocations(resources.revocations.clone())),
        ResourceKind::Agent => resources.agents.get(name).cloned().map(Resource::Agent),
        ResourceKind::Capability => resources.capabilities.get(name).cloned().map(Resource::Capability),
        ResourceKind::Pool => resources.pools.get(name).cloned().map(Resource::Pool),
        ResourceKind::Endpoints => resources.endpoints.get(name).cloned().map(Resource::Endpoints),
        ResourceKind::Route => resources.routes.get(name).cloned().map(Resource::Route),
        ResourceKind::Wiring => resources.wirings.get(name).cloned().map(Resource::Wiring),
    }
}

/// Every resource of a set, kind by kind in sending order, sorted by name.
pub fn all(resources: &Kinds) -> impl Iterator<Item = Resource> + '_ {
    let single = [
        Resource::Settings(resources.settings.clone()),
        Resource::Keyring(resources.keyring.clone()),
        Resource::Revocations(resources.revocations.clone()),
    ];
    single
        .into_iter()
        .chain(resources.agents.values().cloned().map(Resource::Agent))
        .chain(resources.capabilities.values().cloned().map(Resource::Capability))
        .chain(resources.pools.values().cloned().map(Resource::Pool))
        .chain(resources.endpoints.values().cloned().map(Resource::Endpoints))
        .chain(resources.routes.values().cloned().map(Resource::Route))
        .chain(resources.wirings.values().cloned().map(Resource::Wiring))
}

fn message<M: Message + Default>(bytes: &[u8]) -> Result<M, DecodeError> {
    if bytes.len() > BODY_BYTES_MAX {
        return Err(DecodeError::here(Wrong::Large { bytes: bytes.len(), max: BODY_BYTES_MAX }));
    }
    M::decode(bytes).map_err(|bad| DecodeError::here(Wrong::Bytes(bad)))
}

#[cfg(test)]
mod tests;
