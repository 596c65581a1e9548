//! What agents of mcp-mesh say to their registry, and what they are answered.
//!
//! In: bodies of `POST /heartbeat` (PyPI `mcp-mesh` 3.8.0 and what sends the same). Out: a [`heartbeat::Heartbeat`], its capabilities, the
//! requirements in it, and the JSON of an answer.
//! Never here: HTTP, who provides what.
//! Invariant: an answer is whole: each dependency has its entry, in the order in which it was declared.

pub mod requirement;
pub mod heartbeat;
pub mod needs;
pub mod offers;
pub mod answer;
