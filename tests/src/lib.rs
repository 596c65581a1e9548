//! The kit of the whole-mesh tests: real processes, real SDKs, a real Redis and PostgreSQL, all on loopback and on free ports.
//!
//! In: what a test wants to stand. Out: addresses to call, processes to kill, conditions to wait for.
//! Never here: assertions; a test says itself what must be true.
//! Invariant: everything that was started ends with the value that stands for it, and its log is shown if the test fails.

pub mod wait;
pub mod thorough;
pub mod process;
pub mod binary;
pub mod far;
pub mod http;
pub mod mcp;
pub mod witness;
pub mod faulty;
pub mod redis;
pub mod postgres;
pub mod peers;
pub mod upstream;
pub mod mesh;
pub mod controls;
pub mod fleet;
pub mod crowd;
pub mod habits;
pub mod load;
pub mod keys;
pub mod desks;
pub mod conformance;
pub mod published;
pub mod stock;
