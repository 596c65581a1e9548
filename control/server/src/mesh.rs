//! The mesh API of the founding documents: services register, are listed, and are asked how they are.
//!
//! In: registrations without heartbeats. Out: who is there, in the words of that API.
//! Never here: commands to services, which go to a proxy.
//! Invariant: a service that says nothing for as long as it asked to be believed is gone.

pub mod register;
pub mod services;
pub mod serve;
