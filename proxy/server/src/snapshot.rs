//! The world that calls see, and how the next one comes about.

pub mod worlds;
