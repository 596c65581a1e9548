//! What operators declare of the calls of a route beside where it leads: who shares them, who gets copies, which fail.
//!
//! In: requirements, each with its part. Out: values for the build of a snapshot, which finds who provides them.

use outrigger_model::requirement::Requirement;
use outrigger_model::traffic::{Faults, HeaderEdits, When};

/// The traffic of one route. The default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperatorTraffic {
    /// The first that matches decides; where none does, the route's own requirement.
    pub branches: Vec<OperatorBranch>,
    pub mirror: Option<OperatorMirror>,
    pub faults: Option<Faults>,
    pub headers: HeaderEdits,
}

/// Calls that match are shared by these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorBranch {
    pub when: When,
    /// At least one, and at least one with a weight.
    pub shares: Vec<OperatorShare>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorShare {
    pub requirement: Requirement,
    /// 0 to 1000; the part is `weight` of the sum.
    pub weight: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorMirror {
    pub requirement: Requirement,
    /// Of the calls, 1 to 100.
    pub percent: u8,
}
