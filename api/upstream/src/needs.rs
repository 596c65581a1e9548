//! What the functions of a registration depend on, each under a route name of its own.
//!
//! In: a registration. Out: [`Dependency`]s for a watch; equal requirements of several functions are one.

use std::collections::BTreeSet;

use outrigger_model::digest::Digest;
use outrigger_model::name::{BadName, RouteName};
use outrigger_model::registration::{Function, Registration};
use outrigger_model::requirement::{Dependency, Requirement};

/// How much of a capability's name stands in the name of its route.
const NAME_BYTES_MAX: usize = 64;

/// The route under which calls of a requirement leave: readable, and distinct for distinct requirements.
pub fn route(requirement: &Requirement) -> Result<RouteName, BadName> {
    let name: String = requirement.capability.as_str().chars().take(NAME_BYTES_MAX).collect();
    RouteName::new(&format!("{name}.{}", Digest::of(requirement.to_string().as_bytes()).short()))
}

/// All requirements of a function: dependencies, then the model, then tools for it.
pub fn of_function(function: &Function) -> impl Iterator<Item = &Requirement> {
    let needs = function.needs.iter().map(|need| &need.requirement);
    let tools = function.tools.iter().flat_map(|choice| &choice.any_of);
    needs.chain(&function.model).chain(tools)
}

/// Sorted by text, each once.
pub fn of(registration: &Registration) -> Result<Vec<Dependency>, BadName> {
    let mut dependencies = Vec::new();
    let mut seen = BTreeSet::new();
    for requirement in registration.functions.iter().flat_map(of_function) {
        if seen.insert(requirement.to_string()) {
            dependencies.push(Dependency { alias: route(requirement)?, requirement: requirement.clone() });
        }
    }
    dependencies.sort_by(|a, b| a.alias.cmp(&b.alias));
    Ok(dependencies)
}
