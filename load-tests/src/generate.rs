//! The load generator: makes calls at intended times or as fast as they are answered, and settles each of them.
//!
//! In: a target, how a call is dressed, a plan of load. Out: [`Figures`].
//! Never here: starting peers, comparing.
//! Invariant: latency counts from when a call was meant to be sent, so a slow answer delays nobody's clock.

pub mod figures;
pub mod book;
pub mod connection;
pub mod dress;
pub mod pace;
pub mod sse;
pub mod exchange;
pub mod crew;
pub mod rate;
pub mod saturate;
pub mod sessions;
pub mod streams;
pub mod feeds;
pub mod idle;

pub use book::Book;
pub use crew::Crew;
pub use dress::{Dress, Target};
pub use figures::Figures;
