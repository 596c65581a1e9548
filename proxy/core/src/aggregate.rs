//! Everything an agent may use, as if it were one server: names, places in a list, and whose a resource is.
//!
//! In: the names of agents and of what they offer, as text. Out: aliases, cursors, owners.
//! Never here: JSON, the lists themselves, who is alive.
//! Invariant: what is decided depends on the names alone, so every proxy and every restart decides the same.

pub mod alias;
pub mod cursor;
pub mod owner;
