//! One offer: what a replica does under a name that others ask for.
//!
//! In: a standing, and the place of the offer in its replica. Out: an [`Offer`] that says what it is like.
//! Rule: of an agent of mcp-mesh each function is an offer; of any other agent each capability is.
//! Never here: whether it fits what is asked for.

use std::collections::BTreeSet;

use outrigger_model::capability::Capability;
use outrigger_model::name::CapabilityName;
use outrigger_model::registration::Function;
use outrigger_model::replica::Replica;
use outrigger_model::tag::TagSet;
use semver::Version;

use crate::standing::Standing;

/// Where an offer stands in its replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    Capability,
    /// The number of the function in the registration.
    Function(u16),
}

/// One offer of one replica.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    pub standing: &'a Standing,
    pub place: Place,
    pub source: Source<'a>,
}

#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    Capability(&'a Capability),
    Function(&'a Function),
}

impl<'a> Offer<'a> {
    /// None if the replica has nothing there.
    pub fn at(standing: &'a Standing, name: &CapabilityName, place: Place) -> Option<Self> {
        let source = match place {
            Place::Capability => Source::Capability(standing.capability(name)?),
            Place::Function(at) => {
                Source::Function(standing.replica.registration.as_ref()?.functions.get(usize::from(at))?)
            }
        };
        Some(Self { standing, place, source })
    }

    pub fn version(&self) -> &'a Version {
        match self.source {
            Source::Capability(capability) => &capability.version,
            Source::Function(function) => &function.version,
        }
    }

    pub fn tags(&self) -> &'a TagSet {
        match self.source {
            Source::Capability(capability) => &capability.tags,
            Source::Function(function) => &function.tags,
        }
    }

    /// The tool to call. Of a capability it is its only tool; one with several is called by its own name.
    pub fn function(&self) -> &'a str {
        match self.source {
            Source::Function(function) => &function.name,
            Source::Capability(capability) => match capability.tools.as_slice() {
                [only] => &only.name,
                _ => capability.name.as_str(),
            },
        }
    }

    /// The name of an agent of mcp-mesh leads to it as a whole and is no function of it.
    pub fn is_function(&self) -> bool {
        self.place != Place::Capability || self.standing.replica.registration.is_none()
    }

    /// The name that it is offered under.
    pub fn name(&self) -> &'a str {
        match self.source {
            Source::Capability(capability) => capability.name.as_str(),
            Source::Function(function) => &function.capability,
        }
    }

    /// None if its name is no name, and then nobody can ask for it.
    pub fn capability(&self) -> Option<CapabilityName> {
        match self.source {
            Source::Capability(capability) => Some(capability.name.clone()),
            Source::Function(function) => CapabilityName::new(&function.capability).ok(),
        }
    }

    /// The function that an agent of mcp-mesh registered.
    pub fn registered(&self) -> Option<&'a Function> {
        match self.source {
            Source::Function(function) => Some(function),
            Source::Capability(_) => None,
        }
    }
}

/// Every single function of a replica, of those that are not registered as such each capability with one tool.
pub fn all(standing: &Standing) -> impl Iterator<Item = Offer<'_>> {
    let registration = standing.replica.registration.as_ref();
    let functions = registration.into_iter().flat_map(|registration| &registration.functions).enumerate();
    let functions = functions.filter(|(_, function)| CapabilityName::new(&function.capability).is_ok());
    let functions = functions.filter_map(move |(at, function)| {
        let place = Place::Function(u16::try_from(at).ok()?);
        Some(Offer { standing, place, source: Source::Function(function) })
    });
    let capabilities = standing.replica.capabilities.iter().filter(move |_| registration.is_none());
    let single = capabilities.filter(|capability| capability.tools.len() == 1);
    let single = single.map(move |one| Offer { standing, place: Place::Capability, source: Source::Capability(one) });
    functions.chain(single)
}

/// What a replica offers: names and places, each once. A capability that functions stand behind is offered by them alone.
pub fn of(replica: &Replica) -> Vec<(CapabilityName, Place)> {
    let functions = replica.registration.iter().flat_map(|registration| &registration.functions).enumerate();
    let named = functions.filter_map(|(at, function)| {
        let name = CapabilityName::new(&function.capability).ok()?;
        Some((name, Place::Function(u16::try_from(at).ok()?)))
    });
    let mut offers: Vec<_> = named.collect();
    let covered: BTreeSet<CapabilityName> = offers.iter().map(|(name, _)| name.clone()).collect();
    let plain = replica.capabilities.iter().map(|capability| &capability.name).filter(|name| !covered.contains(*name));
    offers.extend(plain.map(|name| (name.clone(), Place::Capability)));
    offers
}
