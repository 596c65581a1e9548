//! Tells watchers what changed: delta discovery over our own resource types.
//!
//! `subscription` and `engine` decide, one stream each; `serve` reads and writes; `watchers` remembers who they are.

pub mod subscription;
pub mod engine;
pub mod codec;
