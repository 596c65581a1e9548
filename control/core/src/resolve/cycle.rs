//! Whether a registration would make functions require each other in a circle, which then none of them could ever leave.
//!
//! In: facts, a replica with its registration. Out: the shortest circle through what it registers, by the names of capabilities.
//! Rule (measured on mcp-mesh): names count and not tags or versions. A circle that could be avoided by them is refused too: that is
//! said once and loudly, the other would be a function that silently never works.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use outrigger_model::replica::Replica;

use crate::facts::Facts;

/// A capability of a namespace.
type Node<'a> = (&'a str, &'a str);
type Edges<'a> = BTreeMap<Node<'a>, BTreeSet<Node<'a>>>;

/// `a → b → a`, if there is a circle.
pub fn through(facts: &Facts, replica: &Replica) -> Option<String> {
    let mut own = Edges::new();
    edges(replica, &mut own);
    if own.is_empty() {
        return None;
    }
    let mut all = own.clone();
    let others = facts.demanding().map(|standing| &*standing.replica).filter(|other| other.id != replica.id);
    others.for_each(|other| edges(other, &mut all));
    let circles = own.iter().flat_map(|(from, tos)| tos.iter().map(move |to| (*from, *to)));
    circles.filter_map(|(from, to)| back(&all, from, to)).min_by_key(Vec::len).map(|circle| told(&circle))
}

fn edges<'a>(replica: &'a Replica, into: &mut Edges<'a>) {
    let functions = replica.registration.iter().flat_map(|registration| &registration.functions);
    for function in functions.filter(|function| !function.capability.is_empty()) {
        for need in function.needs.iter().filter(|need| need.required) {
            let from = (replica.namespace.as_str(), &*function.capability);
            into.entry(from).or_default().insert((need.requirement.namespace(), need.requirement.capability.as_str()));
        }
    }
}

/// The shortest way from `to` back to `from`, with `from` before it.
fn back<'a>(all: &Edges<'a>, from: Node<'a>, to: Node<'a>) -> Option<Vec<Node<'a>>> {
    let mut came: BTreeMap<Node<'a>, Node<'a>> = BTreeMap::from([(to, from)]);
    let mut next = VecDeque::from([to]);
    while let Some(node) = next.pop_front() {
        if node == from {
            let mut circle = vec![from];
            let mut step = came.get(&from).copied();
            while let Some(node) = step.filter(|node| *node != from) {
                circle.push(node);
                step = came.get(&node).copied();
            }
            circle.push(from);
            circle.reverse();
            return Some(circle);
        }
        for after in all.get(&node).into_iter().flatten() {
            if !came.contains_key(after) {
                came.insert(*after, node);
                next.push_back(*after);
            }
        }
    }
    None
}

fn told(circle: &[Node<'_>]) -> String {
    circle.iter().map(|(_, capability)| *capability).collect::<Vec<_>>().join(" → ")
}

#[cfg(test)]
mod tests;
