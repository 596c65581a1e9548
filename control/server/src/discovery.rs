//! Tells watchers what changed: delta discovery over our own resource types.

pub mod subscription;
pub mod engine;
