//! Sessions: what names them, which replica holds one, and what an answer teaches about it.

pub mod key;
pub mod rules;
pub mod carried;
pub mod bind;
pub mod moving;
pub mod tenure;
pub mod limit;
