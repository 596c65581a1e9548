//! Pictures for people: a few small SVGs per bench, drawn from the same figures as the tables.
//!
//! In: a [`Bench`]. Out: names of files and their text.
//! Never here: writing files, measuring, scripts inside a picture.
//! Invariant: a peer has one colour everywhere, and lengths are to scale from zero; only latency is on a logarithm.

mod scale;
mod colour;
mod canvas;
mod bars;
mod curves;
mod choose;

pub use choose::{Picture, pictures};
