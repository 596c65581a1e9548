//! Sessions: what names them, which replica holds one, and what an answer teaches about it.

pub mod key;
pub mod bind;
pub mod moving;
pub mod seal;
pub mod ticket;
